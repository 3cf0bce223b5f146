"""MC dropout: the closed form of one layer, every kind of call found, nothing else switched, the same in any batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.methods.training._ranking import kept
from pellucid.net import Labels, Net, Preprocess
from pellucid.net.dropout import Parts, dropping, sampled
from tests.fashion import FOLDER, fashion
from tests.test_every_method import labeled, photos, state_of, tiny


def around(module: nn.Module, classes: int = 3, size: int = 8, **how: object) -> Net:
    preprocess = Preprocess(resize=size, crop=(size, size), mean=(0.0,) * 3, std=(1.0,) * 3)
    labels = Labels.plain([f"class {i}" for i in range(classes)]) if classes else None
    return Net(module.double(), "small", preprocess, labels, **how)  # type: ignore[arg-type]


def squares(n: int = 3, size: int = 8) -> Images:
    values = torch.rand(n, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    return Images.from_pictures(list(values), [f"photo {i}" for i in range(n)])


class OneLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(192, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(F.dropout(x.flatten(1), 0.3, self.training))


@pytest.mark.slow
def test_the_variance_of_one_linear_layer_is_the_closed_form() -> None:
    net, image = around(OneLayer(), 0, scores="regression"), squares(1)
    found = pl.training.uncertainty(net, image, samples=20000)
    x, w = image.pixels.double().flatten(), net.module.linear.weight.detach()
    wanted = 0.3 / 0.7 * (w.square() * x.square()).sum(1).numpy()
    sd, error = np.array(found["outputs"]["sd"]), np.array(found["outputs"]["error"])
    assert np.all(np.abs(sd**2 / wanted - 1) < 3 * np.sqrt(2 / 20000))  # three standard errors of a variance
    assert np.all(np.abs(np.array(found["outputs"]["mean"]) - net.run(image).output[0].numpy()) < 3 * error)


class Calls(nn.Module):
    """A dropout of a given kind between two layers."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.conv, self.norm = kind, nn.Conv2d(3, 12, 3), nn.BatchNorm2d(12)
        self.head = nn.Linear(12, 3)
        modules = {"Dropout": nn.Dropout, "Dropout2d": nn.Dropout2d, "AlphaDropout": nn.AlphaDropout,
                   "FeatureAlphaDropout": nn.FeatureAlphaDropout}  # fmt: skip
        self.drop = modules[kind](0.4) if kind in modules else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.conv(x))
        if self.kind == "functional":
            h = F.dropout(h, 0.4, training=self.training)
        elif self.kind == "in place":
            h = h.clone()
            F.dropout(h, p=0.4, training=self.training, inplace=True)
        elif self.kind == "torch":
            h = torch.dropout(h, 0.4, self.training)
        elif self.kind == "always":
            h = F.dropout2d(h, 0.4)
        return self.head(self.drop(h).mean((2, 3)))


KINDS = ["Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "functional", "in place", "torch", "always"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_dropout_acts_and_nothing_else_does(kind: str) -> None:
    module = Calls(kind).double().train()
    net, images = around(module), squares()
    weights, before = {k: v.clone() for k, v in module.state_dict().items()}, state_of(module)
    rng = torch.get_rng_state()
    still, drawn = sampled(net, images.pixels, images.ids, 600, 1, None, lambda run: run.scores.detach().numpy())
    assert state_of(module) == before
    assert torch.equal(torch.get_rng_state(), rng)
    assert all(torch.equal(v, weights[k]) for k, v in module.state_dict().items())
    assert (drawn.std(0) > 0).all()
    h = F.batch_norm(module.conv(images.pixels), torch.zeros(12).double(), torch.ones(12).double())  # its statistics
    assert np.allclose(still, module.head(h.mean((2, 3))).detach(), rtol=1e-4)
    if "Alpha" not in kind:  # every mask keeps the mean of what it drops
        assert (np.abs(drawn.mean(0) - still) < 4.5 * drawn.std(0) / np.sqrt(600)).all()


def test_whole_channels_are_dropped_by_those_that_drop_channels() -> None:
    x = torch.ones(2, 5, 4, 4)
    with dropping(0) as drops:
        drops.begin([("a", 0), ("b", 0)])
        channels, each = F.dropout2d(x, 0.5), F.dropout(x, 0.5)
        alpha = F.alpha_dropout(torch.randn(2, 5, 200, 200), 0.3)
    assert ((channels.sum((2, 3)) == 0) | (channels.sum((2, 3)) == 32)).all()
    assert len(each[0, 0].unique()) == 2
    assert alpha.mean().abs() < 0.01
    assert abs(alpha.var() - 1) < 0.02


def test_answers_do_not_depend_on_batch_or_order(monkeypatch: pytest.MonkeyPatch) -> None:
    net, images = tiny(), photos()
    whole = pl.training.uncertainty(net, images, samples=9)
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    alone = [pl.training.uncertainty(net, images[i], samples=9) for i in (2, 0, 1)]
    for name in ("total", "epistemic", "probability"):
        each = [one["images"][name][0] for one in alone]
        assert np.allclose([each[1], each[2], each[0]], whole["images"][name], atol=1e-12)
    longer = pl.training.uncertainty(net, images, samples=9, seed=1)
    assert longer["images"]["total"] != whole["images"]["total"]


def test_the_parts_are_what_they_are_defined_as() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4) / 2, (50, 3))
    p[0, 0] = (1, 0, 0, 0)
    with np.errstate(divide="ignore"):
        parts = Parts.of(np.log(p))
    for i in range(3):
        mean = [sum(p[s, i, k] for s in range(50)) / 50 for k in range(4)]
        total = -sum(m * np.log(m) for m in mean)
        each = np.mean([-sum(q * np.log(q) for q in p[s, i] if q > 0) for s in range(50)])
        assert parts.total[i] == pytest.approx(total, abs=1e-12)
        assert parts.aleatoric[i] == pytest.approx(each, abs=1e-12)
        assert parts.epistemic[i] == pytest.approx(total - each, abs=1e-12)
    assert (parts.epistemic >= 0).all()


def test_histograms_and_rates() -> None:
    net, images = tiny(), photos(2)
    found = pl.training.uncertainty(net, images, samples=40, count=2)
    assert set(found.grids) == set(images.ids)
    assert np.allclose(found.grids["photo 0"].values.sum(1), 1)
    low, high = (pl.training.uncertainty(net, images, samples=40, rate=rate) for rate in (0.01, 0.9))
    assert sum(low["images"]["epistemic"]) < sum(high["images"]["epistemic"])


def test_a_network_without_dropout_is_refused_in_one_line() -> None:
    class Plain(nn.Sequential):
        pass

    net = around(Plain(nn.Flatten(), nn.Linear(192, 3)))
    with pytest.raises(PellucidError, match="two passes of small were identical: no dropout") as caught:
        pl.training.uncertainty(net, squares())
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("a network that has some, such as nn.Dropout, or about its calibration, which "
                                      "needs none")  # fmt: skip
    still = around(Plain(nn.Flatten(), nn.Dropout(0.0), nn.Linear(192, 3)))
    with pytest.raises(PellucidError, match=r"rate 0: give a rate, such as rate=0\.2"):
        pl.training.doubt(still, (np.random.default_rng(0).random((4, 3, 8, 8)), np.arange(4) % 3))
    assert pl.training.uncertainty(still, squares(), samples=5, rate=0.5)["images"]["epistemic"][0] > 0


def test_doubt_sorts_images_and_judges_other_data() -> None:
    net, data = tiny(), labeled()
    other = pl.Data.of((np.ones((5, 3, 32, 32)) * 0.5, np.arange(5) + 40))  # of classes that the network has not
    found = pl.training.doubt(net, data, ood=other, samples=8)
    totals = found["images"]["total"]
    assert list(totals) == sorted(totals, reverse=True)
    assert found["images"]["right"].count(False) == found.meta.found["wrong"]
    assert all(row["strangers"] is not None for row in found["worth"].rows)
    assert len(found.curves["accuracy"]["total"].values) == 20
    accuracy = 1 - found.meta.found["wrong"] / 12
    assert found.curves["accuracy"]["total"].values[-1] == pytest.approx(accuracy)


class Small(nn.Module):
    """For images of 14 × 14."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Flatten(), nn.Linear(288, 64), nn.ReLU())  # fmt: skip
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.dropout(self.body(x), 0.5, self.training))


@pytest.mark.slow
def test_dropout_knows_strangers_better_and_entropy_knows_errors() -> None:
    """On clothes at 14 × 14; strangers are scikit-learn's digits, enlarged. BALD alone is not asked to: over six
    trainings it was between .82 and .95, the entropy without dropout between .83 and .93."""
    datasets = pytest.importorskip("sklearn.datasets")
    if not FOLDER.exists():
        pytest.skip("no Debian package dataset-fashion-mnist")
    some = (fashion("train", 6000), fashion("t10k", 1000))
    (x, y), (x_test, y_test) = ((one.inputs.numpy(), one.labels.numpy()) for one in some)
    digits = torch.from_numpy(datasets.load_digits().images / 16)[:1000, None]
    digits = F.interpolate(digits, (14, 14), mode="bilinear", align_corners=False).numpy()
    module = Small()
    optimizer = torch.optim.AdamW(module.parameters(), 2e-3)
    order = np.random.default_rng(0)
    for _ in range(6):
        for part in np.array_split(order.permutation(len(x)), len(x) // 64):
            loss = F.cross_entropy(module(torch.from_numpy(x[part]).float()), torch.from_numpy(y[part]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net = Net(module.eval(), "clothes", Preprocess(resize=14, crop=(14, 14), mean=(0.0,), std=(1.0,), channels=1),
              Labels.plain([f"c{i}" for i in range(10)]))  # fmt: skip
    found = pl.training.doubt(net, (x_test, y_test), ood=(digits, np.zeros(len(digits), np.int64)), samples=30)
    print(*found.findings, found["answers"].rows, sep="\n")
    worth = {row["doubt"]: row for row in found["worth"].rows}
    assert found["answers"]["accuracy"][1] > 0.8
    assert found["answers"]["nll"][1] < found["answers"]["nll"][0] + 0.02
    assert worth["total"]["strangers"] > worth["entropy without dropout"]["strangers"]
    assert worth["total"]["errors"] > 0.75
    assert worth["total"]["errors"] > worth["epistemic (BALD)"]["errors"]


def test_what_is_left_when_the_images_of_most_doubt_are_set_aside() -> None:
    values, _ = kept(np.array([3.0, 1.0, 2.0]), np.array([False, True, True]), np.array([0.34, 0.67, 1.0]))
    assert np.allclose(values, (1, 1, 2 / 3))
