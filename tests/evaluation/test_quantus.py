"""Quantus 0.6, where it follows the published protocol; and where it does not, what that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pellucid as pl
from pellucid.evaluation import faithfulness
from pellucid.evaluation.baselines import BASELINES
from pellucid.evaluation.judged import Case, Judging
from pellucid.evaluation.robustness import noisy, sensitivity
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.statistics import auroc

pytestmark = [pytest.mark.peer, pytest.mark.slow]  # it takes seconds to import
quantus = pytest.importorskip("quantus")

SIDE, STEPS = 12, 12
Floats = NDArray[np.float64]
QUIET = {"abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False}


def module() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 10 * 10, 3)).eval()


def pixels() -> Floats:
    """Two images with a black pixel, so that Quantus' black, the least value of an image, is black."""
    found = np.random.default_rng(0).random((2, 1, SIDE, SIDE))
    found[:, :, 0, 0] = 0
    return found


def maps() -> Floats:
    """No two pixels have the same value."""
    found = np.random.default_rng(1).permutation(SIDE * SIDE).reshape(1, 1, SIDE, SIDE).astype(np.float64)
    return np.concatenate([found, found[:, :, ::-1]])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> tuple[Net, dict[str, Any]]:
    """The network, and the arguments of every metric; the first map is planted as `known`."""
    net = pl.load(module(), size=SIDE, channels=1, mean=(0.0,), std=(1.0,), labels=["p", "q", "r"])
    x = pixels().astype(np.float32)
    monkeypatch.setitem(BASELINES, "known", lambda pixels, seed, name: maps()[0, 0])
    with torch.no_grad():
        labels = net.module(torch.from_numpy(x)).argmax(1).numpy()
    given = {"model": net.module, "x_batch": x, "y_batch": labels, "a_batch": maps(), "device": "cpu"}
    return net, given


def row(found: Any, part: str) -> dict[str, Any]:
    return next(one for one in found[part].rows if one["method"] == "known")


def test_pixel_flipping_is_deletion_without_its_first_point(asked: tuple[Net, dict[str, Any]]) -> None:
    net, given = asked
    metric = quantus.PixelFlipping(features_in_step=SIDE * SIDE // STEPS, perturb_baseline="black", **QUIET)
    theirs = metric(**given)[0]
    first = torch.from_numpy(given["x_batch"][0])
    found = pl.quality.deletion(net, [first], of="known", fill="black", steps=STEPS)
    line = next(line for curve in found.curves.values() for line in curve.lines if line.name == "known")
    assert line.values[1:] == pytest.approx(theirs, abs=1e-6)
    assert len(theirs) == STEPS, "what the network says of the whole image is not among them"
    area = (line.values.sum() - (line.values[0] + line.values[-1]) / 2) / STEPS
    assert row(found, "ranking")["area"] == pytest.approx(area)


def test_relevance_mass_is_the_energy_inside(asked: tuple[Net, dict[str, Any]]) -> None:
    net, given = asked
    inside = np.zeros((2, 1, SIDE, SIDE))
    inside[:, :, 3:8, 4:9] = 1
    theirs = quantus.RelevanceMassAccuracy(**QUIET)(**given, s_batch=inside)[0]
    image = pl.Images.from_pictures([torch.from_numpy(given["x_batch"][0])], ["a"])
    label = net.class_name(int(given["y_batch"][0]))
    found = pl.localization.energy(net, image, truth={"a": [(label, (4, 3, 9, 8))]}, of="known")
    assert row(found, "energy")["energy"] == pytest.approx(float(theirs), abs=1e-9)


def test_a_map_that_is_the_same_everywhere_is_a_hit_there_and_chance_here(
    asked: tuple[Net, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place is a maximum of it, and Quantus asks whether any of them lies inside."""
    net, given = asked
    inside = np.zeros((2, 1, SIDE, SIDE))
    inside[:, :, 0, 11] = 1
    flat = np.concatenate([np.full((1, 1, SIDE, SIDE), 0.5), maps()[1:]])
    assert quantus.PointingGame(**QUIET)(**{**given, "a_batch": flat}, s_batch=inside)[0]
    monkeypatch.setitem(BASELINES, "known", lambda pixels, seed, name: np.full((SIDE, SIDE), 0.5))
    image = pl.Images.from_pictures([torch.from_numpy(given["x_batch"][0])], ["a"])
    label = net.class_name(int(given["y_batch"][0]))
    truth = {"a": [(label, (11, 0, 12, 1))]}
    hits = [
        row(pl.localization.pointing(net, image, truth=truth, of="known", tolerance=0, seed=seed), "pointing")["hits"]
        for seed in range(20)
    ]
    assert np.mean(hits) < 0.2, "one of 144 places"


def test_their_mean_over_randomized_networks_contains_the_trained_one(asked: tuple[Net, dict[str, Any]]) -> None:
    _, given = asked

    def gradient(model: nn.Module, inputs: Floats, targets: Floats, **_: Any) -> Floats:
        x: Tensor = torch.tensor(inputs, dtype=torch.float32, requires_grad=True)
        model(x)[torch.arange(len(inputs)), torch.as_tensor(targets)].sum().backward()
        return np.asarray(x.grad)

    how = {**QUIET, "similarity_func": quantus.similarity_func.correlation_spearman}
    ask = {**given, "a_batch": None, "explain_func": gradient}
    each = quantus.MPRT(**how)(**ask)
    assert each["original"] == pytest.approx([1, 1]), "a map compared with itself"
    mean = quantus.MPRT(**how, return_average_correlation=True)(**ask)
    assert mean[0] > np.mean([one[0] for name, one in each.items() if name != "original"]) + 0.2


class Recorded(nn.Module):
    """A network that keeps the probabilities that it was asked for, (images, classes) each time."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.said = inner, list[Floats]()

    def forward(self, x: Tensor) -> Tensor:
        found = self.inner(x)
        self.said.append(found.softmax(1).double().numpy())
        return found


Several = tuple[Net, Floats, NDArray[np.int64]]


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> Several:
    """A network, four images (1, SIDE, SIDE) away from both ends of 0..1, and what it says of them; the brightest pixel
    is first in the map `brightness`.
    """
    drawn = module()
    values = torch.Generator().manual_seed(3)
    with torch.no_grad():  # larger than torch draws them, so that rectifiers turn and classes differ
        for parameter, spread in zip(drawn.parameters(), (1, 0, 0.1, 0), strict=True):
            parameter.copy_(spread * torch.randn(parameter.shape, generator=values))
    net = pl.load(drawn, size=SIDE, channels=1, mean=(0.0,), std=(1.0,), labels=["p", "q", "r"])
    x = np.random.default_rng(3).uniform(0.2, 0.8, (4, 1, SIDE, SIDE)).astype(np.float32)
    monkeypatch.setitem(BASELINES, "brightness", lambda pixels, seed, name: pixels[0].double().numpy())
    with torch.no_grad():
        labels = net.module(torch.from_numpy(x)).argmax(1).numpy()
    return net, x, labels


def case(net: Net, image: Floats) -> Case:
    return Judging(net, ImageSet.of([torch.from_numpy(image)]), lambda case, heat, again: heat, "none", (1,)).case(0)


def nothing(**_: Any) -> Floats:
    raise AssertionError("no map is drawn again")


def test_road_fills_pixels_as_deletion_from_neighbors_does(several: Several) -> None:
    """Without their noise, the probabilities behind Quantus' figure are a deletion curve, to 1e-6."""
    net, x, labels = several
    recorded = Recorded(net.module).eval()
    metric = quantus.ROAD(percentages=[25, 50, 75], noise=0.0, **QUIET)
    kept = metric(model=recorded, x_batch=x, y_batch=labels, a_batch=x.astype(np.float64), device="cpu")
    theirs = np.stack([one[np.arange(4), labels] for one in recorded.said])
    images = [torch.from_numpy(one) for one in x]
    found = pl.quality.deletion(net, images, of="brightness", fill="neighbors", steps=4)
    line = next(line for line in found["curves"].lines if line.name == "brightness")
    assert line.values[1:4] == pytest.approx(theirs.mean(1), abs=1e-6)
    answers = np.stack([one.argmax(1) for one in recorded.said])
    assert [kept[share] for share in (25, 50, 75)] == pytest.approx((answers == labels).mean(1))


def test_road_with_noise_is_theirs_up_to_the_noise(several: Several) -> None:
    """Theirs draws other numbers of the same size, 0.01 in pixels: probabilities agree to 0.01, of whichever order."""
    net, x, labels = several
    np.random.seed(0)  # noqa: NPY002 - what Quantus draws from
    found = pl.quality.road(net, [torch.from_numpy(one) for one in x], of="brightness", shares=3)
    for part, order in (("first", x), ("last", 1 - x)):  # it takes no map that is below 0 everywhere
        recorded = Recorded(net.module).eval()
        metric = quantus.ROAD(percentages=[25, 50, 75], **QUIET)
        metric(model=recorded, x_batch=x, y_batch=labels, a_batch=order.astype(np.float64), device="cpu")
        theirs = np.stack([one[np.arange(4), labels] for one in recorded.said]).mean(1)
        line = next(line for line in found[part].lines if line.name == "brightness")
        assert line.values == pytest.approx(theirs, abs=0.01), part


def test_their_road_counts_the_first_batch_alone_and_takes_no_map_without_colors(several: Several) -> None:
    """Faults of Quantus 0.6.0: scores of later batches are dropped, so the figure depends on the size of a batch; and a
    map with one channel for an image with three numbers pixels that the image does not have. Ours has every image.
    """
    net, x, labels = several
    wrong = np.where(np.arange(4) < 2, labels, (labels + 1) % 3)  # one pixel of 144 does not make the last two right
    given = {"model": net.module, "x_batch": x, "y_batch": wrong, "a_batch": x.astype(np.float64), "device": "cpu"}
    metric = {"percentages": [1], "noise": 0.0, **QUIET}
    assert quantus.ROAD(**metric)(**given, batch_size=4)[1] == pytest.approx(0.5)
    assert quantus.ROAD(**metric)(**given, batch_size=2)[1] == pytest.approx(1.0)
    color = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 3)).eval()
    three = {**given, "model": color, "x_batch": np.repeat(x, 3, 1)}
    with pytest.raises(IndexError):
        quantus.ROAD(percentages=[75], noise=0.0, **QUIET)(**three)
    images = [torch.from_numpy(one) for one in np.repeat(x, 3, 1)]
    plain = pl.load(color, size=SIDE, mean=(0.0,) * 3, std=(1.0,) * 3)

    def margin(some: list[Tensor]) -> float:
        rows = pl.quality.road(plain, some, of="brightness", shares=3)["ranking"].rows
        return float(next(one["margin"] for one in rows if one["method"] == "brightness"))

    assert margin(images) == pytest.approx(np.mean([margin([one]) for one in images]), abs=1e-9)


def test_area_under_the_ranking_is_theirs(several: Several) -> None:
    """P(inside > outside), ties as a half: to 1e-12, with ties and without."""
    net, x, labels = several
    inside = np.zeros((4, 1, SIDE, SIDE))
    inside[:, :, 3:8, 4:9] = 1
    for heat in (x.astype(np.float64), np.round(x.astype(np.float64), 1)):
        theirs = quantus.AUC(**QUIET)(
            model=net.module, x_batch=x, y_batch=labels, a_batch=heat, s_batch=inside, device="cpu"
        )
        ours = [auroc(one[where], one[~where])[0] for one, where in zip(heat, inside.astype(bool), strict=True)]
        assert ours == pytest.approx(theirs, abs=1e-12)
        assert len(set(ours)) == 4


@pytest.mark.skipif(hasattr(np, "trapz"), reason="numpy still has trapz")
def test_their_area_under_a_curve_is_gone_with_numpys_trapz(asked: tuple[Net, dict[str, Any]]) -> None:
    """A fault of Quantus 0.6.0 with numpy 2.4. Where it ran, it was an area over the number of steps, not over 0..1."""
    metric = quantus.PixelFlipping(features_in_step=SIDE, perturb_baseline="black", return_auc_per_sample=True, **QUIET)
    with pytest.raises(AttributeError, match="trapz"):
        metric(**asked[1])


def blocks(side: int) -> NDArray[np.bool_]:
    """(n, SIDE, SIDE) squares that cover the image, row by row."""
    found = np.zeros(((SIDE // side) ** 2, SIDE, SIDE), bool)
    for k, one in enumerate(found):
        top, left = (side * place for place in divmod(k, SIDE // side))
        one[top : top + side, left : left + side] = True
    return found


def infidelity_of(metric: Any, given: dict[str, Any], slopes: Floats) -> Callable[[float], Floats]:
    """What Quantus says of the map that is so many times as large."""
    return lambda factor: np.asarray(metric(**given, a_batch=factor * slopes))


@pytest.fixture
def gradients(several: Several) -> tuple[Several, Floats]:
    """Of the logit that is asked about, by pixel: not exact, for there is a rectifier."""
    net, x, labels = several
    pixels = torch.from_numpy(x).requires_grad_()
    net.module(pixels)[torch.arange(4), torch.from_numpy(labels)].sum().backward()
    return several, np.asarray(pixels.grad, np.float64)


def test_infidelity_is_theirs_for_the_same_removals_after_the_best_factor(
    gradients: tuple[Several, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Theirs is E (Σ I Φ − Δ)² of slopes Φ, ours the same of the parts I Φ that a map shows, after the factor β that is
    best and as a share of E Δ². Three of theirs fix the parabola over β, whose lowest point is ours to 1e-4.
    """
    (net, x, labels), slopes = gradients
    gone = np.logical_or.accumulate(blocks(4))  # see below
    monkeypatch.setattr(faithfulness, "squares", lambda *_: gone)
    metric = quantus.Infidelity(perturb_baseline=0.0, n_perturb_samples=1, perturb_patch_sizes=[4], **QUIET)
    given = {"model": net.module, "x_batch": x, "y_batch": labels, "device": "cpu"}
    theirs = infidelity_of(metric, given, slopes)
    less, once, twice = theirs(0.5), theirs(1.0), theirs(2.0)  # a map of zeros it does not take
    bend = (twice - once - 2 * (once - less)) / 1.5
    slope = twice - once - 3 * bend
    none = once - slope - bend
    lowest = none - slope**2 / (4 * bend)
    measure = faithfulness.infidelity(len(gone), "black", "logit")
    ours = [measure.judge(case(net, x[k]), (slopes[k] * x[k])[0], nothing)[0] for k in range(4)]
    assert ours == pytest.approx(lowest / none, abs=1e-4)
    assert min(ours) > 1e-3, "the map is not exact, and the agreement no agreement of zeros"


def test_their_infidelity_takes_squares_away_one_after_another(gradients: tuple[Several, Floats]) -> None:
    """The definition draws removals I on their own. In Quantus 0.6.0 what one square changes stays changed when the
    next is taken away, so that it judges one path from the image to a black one.
    """
    (net, x, labels), slopes = gradients
    metric = quantus.Infidelity(perturb_baseline=0.0, n_perturb_samples=1, perturb_patch_sizes=[4], **QUIET)
    theirs = metric(model=net.module, x_batch=x, y_batch=labels, a_batch=slopes, device="cpu")

    def missed(gone: NDArray[np.bool_]) -> Floats:
        found = np.zeros((4, len(gone)))
        with torch.no_grad():
            for k, (one, label) in enumerate(zip(x, labels, strict=True)):
                left = net.module(torch.from_numpy(np.where(gone[:, None], np.float32(0), one)))[:, label]
                lost = net.module(torch.from_numpy(one[None]))[0, label] - left
                found[k] = (gone * (slopes[k] * one)[0]).sum((1, 2)) - lost.double().numpy()
        return np.asarray((found**2).mean(1))

    apart = blocks(4)
    assert theirs == pytest.approx(missed(np.logical_or.accumulate(apart)), rel=1e-3)
    assert np.abs(theirs / missed(apart) - 1).mean() > 0.3, "the same squares, each by itself"


def test_largest_sensitivity_is_theirs_for_the_same_noise(several: Several) -> None:
    """max ‖Φ(x + δ) − Φ(x)‖ / ‖Φ(x)‖ over the same copies, within a radius of 0.1 that never leaves 0..1: to 1e-5. The
    noise is another than Quantus' own, whose radius is 0.2 unless somebody says another.
    """
    net, x, labels = several
    cases = [case(net, one) for one in x]

    def magnitudes(model: nn.Module, inputs: Floats, targets: Floats, **_: Any) -> Floats:
        pixels = torch.tensor(inputs, dtype=torch.float32, requires_grad=True)
        # squared, so that slopes move with the image also where no rectifier turns
        model(pixels)[torch.arange(len(inputs)), torch.as_tensor(targets)].square().sum().backward()
        return np.abs(np.asarray(pixels.grad, np.float64))

    drawn = iter(range(5))

    def same(arr: Floats, **_: Any) -> Floats:
        k = next(drawn)
        return np.stack([noisy(one, 0.1, 0, k).numpy().ravel() for one in cases])

    metric = quantus.MaxSensitivity(nr_samples=5, perturb_func=same, **QUIET)
    given = {"model": net.module, "x_batch": x, "y_batch": labels, "explain_func": magnitudes, "device": "cpu"}
    theirs = metric(**given)
    measure = sensitivity(0.1, 5)
    for one, label, expected in zip(cases, labels, theirs, strict=True):

        def again(*, pixels: Tensor, label: int = label) -> Floats:
            return magnitudes(net.module, pixels.numpy()[None], np.array([label]))[0, 0]

        found = measure.judge(one, again(pixels=one.pixels), again)
        assert found[0] == pytest.approx(expected, rel=1e-5)
        assert found[0] > found[1] > 0
