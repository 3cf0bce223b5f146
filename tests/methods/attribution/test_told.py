"""What maps say of themselves is true: of which class they are, what their signs mean, what their numbers are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import Images
from pellucid.methods.attribution.lrp import _arriving
from pellucid.net import Labels, Net, Preprocess
from pellucid.result import Heatmap
from tests.methods.attribution.test_oracles import PLAIN, Function
from tests.test_every_method import photos, tiny, undecided

A = pl.attribution


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet", "guided_grad_cam"])
def test_a_changed_gradient_says_nothing_of_the_score(method: str) -> None:
    heat = getattr(A, method)(tiny(), photos(1), "dog")
    assert heat.sign == "ruled"
    assert (
        sum("hardly depend" in note and "Nie et al. 2018, Adebayo et al. 2018" in note for note in heat.meta.said) == 1
    )
    smoothed = A.smooth_grad(tiny(), photos(1), "dog", of=method, samples=2)
    assert smoothed.sign == "ruled"
    assert any("hardly depend" in note for note in smoothed.meta.said)


@pytest.mark.slow
def test_the_note_is_true_of_the_bundled_network() -> None:
    """Maps of two classes: the same by guided backpropagation and the deconvnet, others by the gradient."""
    net, image = pl.load("bundled"), pl.read("sample:koala")
    alike = {}
    for method in ("guided_backprop", "deconvnet", "gradient"):
        first, other = (getattr(A, method)(net, image, k, reduce="signed").array.ravel() for k in ("koala", "espresso"))
        alike[method] = np.corrcoef(first, other)[0, 1]
    assert min(alike["guided_backprop"], alike["deconvnet"]) > 0.9
    assert alike["gradient"] < 0.5


def test_signs_of_other_maps() -> None:
    net, image = tiny(), photos(1)
    assert A.gradient(net, image, "dog", reduce="signed").sign == "slope"
    assert A.smooth_grad(net, image, "dog", samples=2).sign == "slope"
    assert A.grad_cam(net, image, "dog").sign == A.lrp(net, image, "dog").sign == "evidence"
    eigen = A.eigen_cam(net, image)
    assert (eigen.sign, eigen.meta.target) == ("number", None)
    assert eigen.meta.said[0].startswith("no class was asked about")
    assert A.sobol(net, image, "dog", grid=2, samples=2, order="first").sign == "number"


def test_only_probabilities_are_called_so() -> None:
    plain, contrast = (A.excitation_backprop(tiny(), photos(1), "dog", contrastive=on) for on in (False, True))
    assert (plain.unit, plain.values.min() >= 0) == ("probability", True)
    assert (contrast.unit, contrast.values.min() < 0) == ("difference of probabilities", True)


def test_what_is_lost_to_biases_is_one_sentence() -> None:
    rest = "of the relevance reaches the pixels, biases take the rest: read the map for its proportions only"

    def told(shares: list[float], names: str) -> list[str]:
        notes = _arriving(shares, tuple(names))
        assert {note.topic for note in notes} <= {"completeness"}
        return [*map(str, notes)]

    assert told([0.0004], "a") == [f"a: less than 0.1 % {rest}"]
    assert told([0.0004, -0.02], "ab") == [f"less than 10 % {rest}"]
    assert told([0.5, 0.004, 1.05], "abc") == [f"b: less than 1 % {rest}", "a: biases take 50 % of the relevance"]
    assert told([1.4, -0.3], "ab") == ["a: biases add 40 % to the relevance", "b: biases take 130 % of the relevance"]
    assert told([1.0, 0.95], "ab") == []


def test_lrp_of_a_network_with_large_biases() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    ).double()
    with torch.no_grad():
        module[4].bias[1] = 1e5
    heat = A.lrp(Net(module, preprocess=PLAIN), gray(0.1, 0.9), 1)
    assert heat.meta.absorbed
    assert min(heat.meta.completeness or ()) > 0.999
    assert len(heat.meta.said) == 1
    assert heat.meta.notes[0].text.startswith("less than 0.1 % of the relevance reaches the pixels")


def gray(*levels: float) -> Images:
    return Images.from_pictures(
        [torch.full((3, 8, 8), level, dtype=torch.float64) for level in levels], "abcd"[: len(levels)]
    )


def test_the_best_guess_of_one_logit_is_the_label_that_its_sign_says() -> None:
    net = Net(
        Function(lambda x: x.mean((1, 2, 3))[:, None] - 0.5), preprocess=PLAIN, labels=Labels.plain(["no", "yes"])
    )
    heat = A.gradient(net, gray(0.1, 0.9), reduce="signed")
    assert heat.meta.targets == tuple(one[0].label for one in net.predict(gray(0.1, 0.9)).ranked) == ("no", "yes")
    assert heat.meta.score == pytest.approx((0.4, 0.4))
    assert (heat.values[0] < 0).all()
    assert (heat.values[1] > 0).all()
    second = A.gradient(net, gray(0.1, 0.9), "guess 2", reduce="signed")
    assert np.array_equal(second.values, -heat.values)
    assert second.meta.targets == ("yes", "no")


def test_sums_and_regions_have_their_own_name_for_each_image() -> None:
    net = undecided()
    names = tuple(one[0].label for one in net.predict(photos()).ranked)
    heat = A.grad_cam(net, photos(), "best guess - dog")
    assert heat.meta.target == "best guess - dog"
    assert heat.meta.targets == tuple(f"{name} - dog" for name in names)
    parts = A.occlusion_products(net, photos(), size=16, stride=16).parts
    assert parts["probability"].meta.targets == tuple(f"p({name})" for name in names)
    assert parts["rank"].meta.targets == names
    assert parts["response"].meta.targets == tuple(parts["response"][i].meta.target for i in range(3))
    assert parts["probability"][1].meta.target == f"p({names[1]})"

    def segments(x: Tensor) -> Tensor:
        return torch.stack([x[:, 0] - 0.5, 0.2 - x[:, 0]], 1)

    images = Images.from_pictures(
        [torch.cat([torch.ones(3, 8, k), torch.zeros(3, 8, 8 - k)], 2).double() for k in (3, 5)], "ab"
    )
    seen = A.gradient(Net(Function(segments), preprocess=Preprocess()), images, "region(0)")
    assert seen.meta.targets == tuple(f"region(class 0, {8 * k} pixels of 8 × 8)" for k in (3, 5))
    assert isinstance(seen, Heatmap)


def test_notes_name_the_class_of_each_image() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    ).double()
    with torch.no_grad():
        for part, weights in ((module[0], (1.0, 1.0)), (module[4], (-1.0, -2.0))):
            part.weight.copy_(torch.tensor(weights).view(-1, *[1] * (part.weight.dim() - 1)).expand_as(part.weight))
            part.bias.copy_(torch.tensor([0.0, 0.0 if part is module[0] else 30.0]))
    heat = A.grad_cam(Net(module, preprocess=PLAIN), gray(0.1, 0.9))
    assert heat.meta.targets == ("class 1", "class 0")
    told = [note for note in heat.meta.notes if "evidence" in note.text]
    assert [(note.text[:32], note.image) for note in told] == [
        (f"no positive evidence for class {label}", name) for label, name in zip((1, 0), heat.meta.images, strict=True)
    ]
    assert [note for note in heat[1].meta.notes if "evidence" in note.text] == told[1:]


@pytest.mark.slow
def test_a_baseline_that_has_no_z_score_is_said_to_be_none() -> None:
    """An image of one color has no deviation to be divided by; a blurred one does, and the sum holds."""
    net, image = pl.load(pl.load("bundled").module, preprocess="zscore", size=224), pl.read("sample:koala")
    (said,) = A.deep_lift(net, image, 388).meta.said
    assert "completeness error" in said
    assert "such as blur" in said
    assert not A.deep_lift(net, image, 388, baseline="blur").meta.said
