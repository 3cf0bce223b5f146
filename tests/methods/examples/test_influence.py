"""Influence, asked of an index."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.history import History
from pellucid.training_set.examples import examples_of
from pellucid.training_set.influence import rates_of
from tests.test_every_method import indexed, photos, tiny


def test_scores_are_those_of_the_formula() -> None:
    index = indexed(tiny())
    examples = examples_of(index)
    found = pl.examples.influence(index, photos(2), damping=0.3, count=4, full=True)
    x = np.concatenate([examples.features.astype(np.float64), np.ones((12, 1))], 1)
    p, one = examples.probabilities, np.eye(3)
    slopes = np.stack([np.kron(p[i] - one[examples.labels[i]], x[i]) for i in range(12)])
    curved = 0.3 * np.eye(39)
    for i in range(12):
        curved += np.kron(np.diag(p[i]) - np.outer(p[i], p[i]), np.outer(x[i], x[i])) / 12
    assert found.scores is not None
    assert np.array_equal(found.numbers, examples.numbers)
    for k, image in enumerate(photos(2)):
        features = np.append(examples.read(image)[0].astype(np.float64), 1)
        z = features[:-1] @ examples.weight.T + examples.bias
        q = np.exp(z) / np.exp(z).sum()
        wanted = slopes @ np.linalg.solve(curved, np.kron(q - one[q.argmax()], features)) / 12
        assert np.allclose(found.scores[k], wanted, atol=1e-10)
        order = np.argsort(-wanted, kind="stable")
        assert found.images[k, 0].tolist() == order[:4].tolist()
        assert found.images[k, 1].tolist() == order[::-1][:4].tolist()
        assert np.allclose(
            found.measure("share of the total")[k, 0], np.abs(wanted[order[:4]]).sum() / np.abs(wanted).sum()
        )
        assert found.answers[k] == examples.classes[int(q.argmax())]
    assert found[1].scores is not None
    assert np.array_equal(found[1].scores[0], found.scores[1])


def test_a_class_may_be_named() -> None:
    index = indexed(tiny())
    found = pl.examples.influence(index, photos(1), label="cow", count=3)
    assert found.answers == ("cow",)
    assert found.scores is None
    with pytest.raises(PellucidError, match=r"'cwo'.*cow"):
        pl.examples.influence(index, photos(1), label="cwo")


def checkpoints(folder: Path, rates: bool = True) -> History:
    """Two checkpoints of the tiny network, and the learning rate by step."""
    folder.mkdir()
    for step, factor in ((100, 0.5), (200, 1.0)):
        state = {name: v * factor if name.startswith("head") else v for name, v in tiny().module.state_dict().items()}
        save_file({name: v.contiguous() for name, v in state.items()}, folder / f"step_{step}.safetensors")
    rows = [{"step": 0, "lr": 0.1}, {"step": 150, "lr": 0.01}] if rates else [{"step": 0, "loss": 1}]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return History.of(folder)


def test_tracin_weights_gradients_by_the_schedule(tmp_path: Path) -> None:
    index, history = indexed(tiny()), checkpoints(tmp_path / "run")
    assert rates_of(history) == {100: 0.1, 200: 0.01}
    found = pl.examples.influence(index, photos(1), variant="tracin", checkpoints=history, full=True)
    total = np.zeros(12)
    for step, rate in ((100, 0.1), (200, 0.01)):
        net = history.at(step, index.net)

        def slope(image: pl.Images, label: int, net: pl.Net = net) -> torch.Tensor:
            run = net.run(net.prepare(image).pixels, layers=["relu"])
            h = run["relu"].mean((2, 3)).detach()
            head = torch.nn.Linear(12, 3).double()
            head.load_state_dict(
                {k.removeprefix("head."): v for k, v in net.module.state_dict().items() if "head" in k}
            )
            loss = F.cross_entropy(head(h), torch.tensor([label]))
            return torch.cat([one.flatten() for one in torch.autograd.grad(loss, [*head.parameters()])])

        examples = examples_of(index)
        asked = slope(photos(1), examples.classes.index(found.answers[0]))
        total += rate * np.array([float(asked @ slope(index.read(i), int(examples.labels[i]))) for i in range(12)])
    assert found.scores is not None
    assert np.abs(found.scores[0] - total).max() < 2e-5 * np.abs(total).max()
    assert "2 checkpoints" in " ".join(map(str, found.meta.notes))


def test_tracin_says_what_it_needs(tmp_path: Path) -> None:
    index = indexed(tiny())
    with pytest.raises(PellucidError, match="no checkpoints="):
        pl.examples.influence(index, photos(1), variant="tracin")
    with pytest.raises(PellucidError, match="variant='last_layer' and checkpoints="):
        pl.examples.influence(index, photos(1), checkpoints=checkpoints(tmp_path / "run"))
    with pytest.raises(PellucidError, match="no learning rate in"):
        pl.examples.influence(
            index, photos(1), variant="tracin", checkpoints=checkpoints(tmp_path / "other", rates=False)
        )


class Two(torch.nn.Module):
    """A convolution and a linear layer, small enough that their whole Gauss-Newton matrix can be written down."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = torch.nn.Conv2d(3, 2, 6, stride=6), torch.nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.first(x).relu().mean((2, 3)))


def test_ek_fac_goes_through_all_layers(tmp_path: Path) -> None:
    pytest.importorskip("curvlinops")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Two().double()
    net = pl.Net(module, "two", pl.net.Preprocess(resize=12, crop=(12, 12)), pl.net.Labels.plain(["cat", "dog", "cow"]))
    chance = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", images=chance.integers(0, 255, (20, 12, 12, 3), np.uint8), labels=np.arange(20) % 3)
    index = pl.units.index(net, tmp_path / "x.npz", store=tmp_path / "x.index")
    found = pl.examples.influence(index, photos(1), variant="ek_fac", damping=1.0, full=True)

    def slope(image: pl.Images, label: int) -> np.ndarray:
        loss = F.cross_entropy(module(net.prepare(image).pixels.double()), torch.tensor([label]))
        return torch.cat([one.flatten() for one in torch.autograd.grad(loss, [*module.parameters()])]).numpy()

    slopes = np.stack([slope(index.read(i), i % 3) for i in range(20)])
    asked = slope(photos(1), ["cat", "dog", "cow"].index(found.answers[0]))
    assert found.scores is not None
    plain = slopes @ asked / 20  # with so much damping H is nearly λ
    assert np.corrcoef(found.scores[0], plain)[0, 1] > 0.99
    assert "EK-FAC covers 100%" in " ".join(map(str, found.meta.notes))


class One(torch.nn.Module):
    """A linear layer on the means of four patches."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.avg_pool2d(x, 6).flatten(1))


@pytest.mark.slow
@pytest.mark.parametrize("damping", [1.0, 0.01])
def test_of_a_linear_network_ek_fac_is_the_last_layer(tmp_path: Path, damping: float) -> None:
    pytest.importorskip("curvlinops")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = One().double()
    net = pl.Net(module, "one", pl.net.Preprocess(resize=12, crop=(12, 12)), pl.net.Labels.plain(["cat", "dog", "cow"]))
    chance = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", images=chance.integers(0, 255, (60, 12, 12, 3), np.uint8), labels=np.arange(60) % 3)
    index = pl.units.index(net, tmp_path / "x.npz", store=tmp_path / "x.index")
    both = [
        pl.examples.influence(index, photos(1), variant=one, damping=damping, full=True).scores
        for one in ("last_layer", "ek_fac")
    ]
    assert both[0] is not None
    assert both[1] is not None
    assert np.corrcoef(both[0][0], both[1][0])[0, 1] > 0.9999
    assert abs(np.polyfit(both[0][0], both[1][0], 1)[0] - 1) < 0.01


class Attention(torch.nn.Module):
    """Attention between places, by the function of torch that is fused."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = torch.nn.Conv2d(3, 8, 4, stride=4), torch.nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.first(x).flatten(2).transpose(1, 2)[:, None]
        return self.head(F.scaled_dot_product_attention(tokens, tokens, tokens)[:, 0].mean(1))


def test_ek_fac_goes_through_fused_attention(tmp_path: Path) -> None:
    pytest.importorskip("curvlinops")
    net = pl.load(Attention(), size=12, labels=["cat", "dog", "cow"])
    chance = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", images=chance.integers(0, 255, (12, 12, 12, 3), np.uint8), labels=np.arange(12) % 3)
    index = pl.units.index(net, tmp_path / "x.npz", store=tmp_path / "x.index")
    found = pl.examples.influence(index, photos(1), variant="ek_fac", damping=0.1, full=True)
    assert found.scores is not None
    assert np.isfinite(found.scores).all()
    assert np.abs(found.scores).max() > 0


class Checkpointed(Two):
    """The same network whose first layer runs again during the backward pass."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = checkpoint(lambda one: self.first(one).relu(), x, use_reentrant=True)
        return self.head(maps.mean((2, 3)))


@pytest.mark.slow
def test_checkpoints_of_activations_hide_no_layer(tmp_path: Path) -> None:
    pytest.importorskip("curvlinops")
    chance = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", images=chance.integers(0, 255, (12, 12, 12, 3), np.uint8), labels=np.arange(12) % 3)
    found = []
    for kind in (Two, Checkpointed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = pl.load(kind(), size=12, labels=["cat", "dog", "cow"])
        index = pl.units.index(net, tmp_path / "x.npz", store=tmp_path / f"{kind.__name__}.index")
        found.append([
            pl.examples.influence(index, photos(1), variant=one, damping=0.1, full=True).scores
            for one in ("trak", "ek_fac")
        ])  # fmt: skip
    for plain, again in zip(*found, strict=True):
        assert plain is not None
        assert np.abs(plain).max() > 0
        assert np.allclose(plain, again, rtol=1e-5)
