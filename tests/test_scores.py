"""What a network's outputs mean: told, known from how it ends, seen in the values, and never applied twice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid import target as t
from pellucid.errors import PellucidError, Refused
from pellucid.net import Net

A = pl.attribution
IMAGE = (np.random.default_rng(0).random((12, 12, 3)) * 255).astype(np.uint8)


class Small(nn.Module):
    """A convolution, its means, a head, and whatever comes after it."""

    def __init__(self, classes: int = 3, end: Any = None) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, classes)
            nn.init.normal_(self.head.weight, std=2)
        self.end = end

    def logits(self, pixels: Tensor) -> Tensor:
        return self.head(self.conv(pixels).relu().mean((2, 3)))

    def forward(self, pixels: Tensor) -> Tensor:
        scores = self.logits(pixels)
        return scores if self.end is None else self.end(scores)


def said(network: nn.Module, **how: Any) -> tuple[Net, Tensor, pl.Predictions]:
    """(net, its logits of the image, its predictions)."""
    net = pl.load(network, size=12, mean=0, std=1, **how)
    images = pl.Images.of(IMAGE)
    with torch.no_grad():
        logits = network.logits(net.prepare(images).pixels)[0].double()
    return net, logits, net.predict(images, 9)


def by_index(found: pl.Predictions) -> list[float]:
    return [g.probability for g in sorted(found.ranked[0], key=lambda g: g.index)]  # type: ignore[misc]


def softly(scores: Tensor) -> Tensor:
    """A softmax that no name gives away."""
    grown = scores.exp()
    return grown / grown.sum(1, keepdim=True)


ENDS: list[tuple[Any, str, str]] = [
    (nn.Softmax(1), "softmax", "probabilities"),
    (lambda s: F.softmax(s, 1), "softmax", "probabilities"),
    (lambda s: s.softmax(1)[:, :, None, None], "softmax", "probabilities"),
    (lambda s: torch.log(torch.clamp(s.softmax(1), 1e-9, 1)), "softmax", "log_probabilities"),
    (nn.LogSoftmax(1), "log_softmax", "log_probabilities"),
    (lambda s: F.log_softmax(s, 1).exp().float(), "log_softmax", "probabilities"),
    (softly, "look like probabilities", "probabilities"),
    (lambda s: s - s.logsumexp(1, keepdim=True), "look like log probabilities", "log_probabilities"),
]


@pytest.mark.parametrize(("end", "because", "kind"), ENDS)
@pytest.mark.parametrize("method", ["gradient", "lrp", "occlusion"])
def test_a_network_that_ends_in_softmax(end: Any, because: str, kind: str, method: str) -> None:
    net, logits, found = said(Small(end=end))
    right = logits.softmax(0)
    assert by_index(found) == pytest.approx(right.tolist(), rel=1e-4)
    assert found.meta.scores == kind
    assert sum(because in note for note in found.meta.said) == 1
    options = {"size": 6, "stride": 6} if method == "occlusion" else {}
    for asked, value in (("p(1)", right[1]), ("loss(1)", -right[1].log())):
        net = pl.load(
            net.module, size=12, mean=0, std=1
        )  # what the first pass shows is there already in its own answer
        heat = getattr(A, method)(net, IMAGE, asked, **options)
        assert heat.meta.score == pytest.approx([float(value)], rel=1e-4)
        assert any(because in note for note in heat.meta.said)
    plain = getattr(A, method)(net, IMAGE, 1, **options)
    assert "logit" not in plain.unit
    assert pl.load(net.module, size=12, mean=0, std=1, scores=kind).predict(pl.Images.of(IMAGE)).meta.said == ()


@pytest.mark.parametrize("end", [nn.Sigmoid(), torch.sigmoid, lambda s: s.sigmoid()[:, None, None], nn.LogSigmoid()])
@pytest.mark.parametrize("told", [None, "multilabel"])
def test_labels_that_each_stand_by_themselves_and_end_in_sigmoid(end: Any, told: Any) -> None:
    net, logits, found = said(Small(end=end), scores=told)
    assert by_index(found) == pytest.approx(logits.sigmoid().tolist(), rel=1e-4)
    assert any("sigmoid" in note for note in found.meta.said)
    heat = A.gradient(net, IMAGE, "p(2)")
    assert heat.meta.score == pytest.approx([float(logits[2].sigmoid())], rel=1e-4)


def test_multilabel_as_told() -> None:
    net, logits, found = said(Small(), scores="multilabel", labels=["cat", "dog", "car"])
    assert by_index(found) == pytest.approx(logits.sigmoid().tolist())
    assert found.meta.said == ()
    run = net.run(pl.Images.of(IMAGE))
    assert float(t.Probability("dog")(run)) == pytest.approx(float(logits[1].sigmoid()))
    assert float(t.Loss("dog")(run)) == pytest.approx(float(F.softplus(-logits[1])))
    assert float(t.Logit("dog")(run)) == pytest.approx(float(logits[1]))
    assert A.gradient(net, IMAGE, "dog").unit == "logit per pixel range"
    assert net.with_module(Small(5)).scores == "multilabel"
    assert pl.load(net, size=9).scores == "multilabel"


def test_regression_has_values_and_no_probabilities() -> None:
    net, logits, found = said(Small(), scores="regression", labels=["age", "height", "weight"])
    assert [(g.label, g.probability) for g in found.ranked[0]] == [("age", None), ("height", None), ("weight", None)]
    assert [g.logit for g in found.ranked[0]] == pytest.approx(logits.tolist())
    assert A.gradient(net, IMAGE, "height").unit == "value per pixel range"
    assert A.gradient(net, IMAGE, "out[1]").meta.score == pytest.approx([float(logits[1])])
    for asked in ("p(age)", "loss(age)"):
        with pytest.raises(Refused, match=r"no probabilities.*out\[0\] to out\[2\]"):
            A.gradient(net, IMAGE, asked)
    with pytest.raises(Refused, match=r"no best guess.*out\[0\] to out\[2\]"):
        A.gradient(net, IMAGE)
    with pytest.raises(PellucidError, match="regression"):
        pl.explain(net, IMAGE, truth="age", methods=("gradient",))
    for method in ("occlusion_rank", "finer_cam"):
        with pytest.raises(Refused, match="regression"):
            getattr(A, method)(net, IMAGE, "age")
    told = pl.explain(net, IMAGE, classes=2, methods=("gradient",))
    assert [column.probability for column in told.columns] == [None, None]
    assert "age" in pl.draw(found).alt
    assert pl.load(Small(1), size=12, scores="regression").predict(pl.Images.of(IMAGE)).ranked[0][0].probability is None


@pytest.mark.parametrize(
    ("end", "scores", "probability"),
    [
        (None, None, lambda z: z.sigmoid()),
        (nn.Sigmoid(), None, lambda z: z.sigmoid()),
        (lambda s: s.clamp(-9, 9).sigmoid().squeeze(1), "probabilities", lambda z: z.sigmoid()),
        (nn.LogSigmoid(), None, lambda z: z.sigmoid()),
        (None, "multilabel", lambda z: z.sigmoid()),
    ],
)
def test_one_number_for_two_labels(end: Any, scores: Any, probability: Any) -> None:
    net, logits, found = said(Small(1, end), scores=scores, labels=["benign", "malignant"])
    p = float(probability(logits[0]))
    assert by_index(found) == pytest.approx([1 - p, p], rel=1e-5)
    run = net.run(pl.Images.of(IMAGE))
    assert float(t.Probability("benign")(run)) == pytest.approx(1 - p)
    assert float(t.Loss("benign")(run)) == pytest.approx(-math.log(1 - p), rel=1e-4)
    assert float(t.Loss("malignant")(run)) == pytest.approx(-math.log(p), rel=1e-4)


def test_what_contradicts_what_was_told_is_refused() -> None:
    for told in ("probabilities", "log_probabilities"):
        with pytest.raises(PellucidError, match=rf"scores='{told}'.* gives .*scores='logits'"):
            said(Small(), scores=told)
    _, logits, found = said(Small(end=nn.Softmax(1)), scores="logits")  # whoever says so is believed, and warned
    assert by_index(found) == pytest.approx(logits.softmax(0).softmax(0).tolist(), rel=1e-4)
    assert any("ends in softmax" in note for note in found.meta.said)


class Constant(Small):
    """The same scores for each image, in which only a little moves."""

    def __init__(self, *scores: float) -> None:
        super().__init__(len(scores))
        nn.init.normal_(self.head.weight, std=1e-3)
        self.head.bias.data[:] = torch.tensor(scores)


@pytest.mark.parametrize(("scores", "alone"), [
    ((4.0, 4.0, -4.0), True), ((5.0, 4.5, -3.5, 4.8, -9.0), True), ((9.0, 0.0, 0.0), False), ((4.0, -4.0, -4.0), False),
    ((2.0, 2.0, -4.0), False), ((8.0, 4.0, -12.0), False), ((4.0, 4.0), True), ((0.0, 0.0, 0.0), False),
])  # fmt: skip
def test_of_a_network_that_nothing_is_known_of_the_reading_is_said(scores: tuple[float, ...], alone: bool) -> None:
    network = Constant(*scores)
    _, logits, found = said(network)
    assert by_index(found) == pytest.approx((logits.sigmoid() if alone else logits.softmax(0)).tolist(), rel=1e-4)
    assert any("scores='multilabel'" in note and "scores='logits'" in note for note in found.meta.said)
    assert A.gradient(pl.load(network, size=12), IMAGE, "p(0)").meta.score == pytest.approx(
        [by_index(found)[0]], rel=1e-4
    )
    assert said(network, scores="logits")[2].meta.said == ()


def test_each_image_is_read_by_itself_whatever_came_before() -> None:
    class Moody(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            bright = pixels.mean((1, 2, 3), keepdim=False)[:, None] > 0.5
            return torch.where(bright, torch.tensor([4.0, 4.0, -4.0]), torch.tensor([5.0, 0.0, 0.0])) + 0 * self.logits(
                pixels
            )

    dark, light = np.zeros((12, 12, 3), np.uint8), np.full((12, 12, 3), 250, np.uint8)
    exclusive, apart = math.exp(5) / (math.exp(5) + 2), 1 / (1 + math.exp(-4))
    net = pl.load(Moody(), size=12)
    for image, right in ((dark, exclusive), (light, apart), (dark, exclusive)):
        found = net.predict(pl.Images.of(image))
        assert found.ranked[0][0].probability == pytest.approx(right)
        torn = any("0.98 and 0.98" in note and "0.50 and 0.50" in note for note in found.meta.said)
        assert torn == (right == apart)
        for method in (A.gradient, A.occlusion):
            heat = method(net, image, "p(0)")
            assert heat.meta.score == pytest.approx([right])
            assert any("0.98 and 0.98" in note for note in heat.meta.said) == torn, heat.meta.said
    both = pl.Images.of(dark) + pl.Images.of(light)
    assert [g[0].probability for g in net.predict(both).ranked] == pytest.approx([exclusive, apart])
    assert A.gradient(net, both, "p(0)").meta.score == pytest.approx([exclusive, apart])


def test_changed_copies_of_an_image_are_read_as_it_is() -> None:
    """Covered, the image would be one class out of several; its effect is of the sigmoid all the same."""

    class Bright(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            level = pixels.mean((1, 2, 3))[:, None]
            return torch.cat([4 * level, 4 * level, -4 * level.ceil()], 1) + 0 * self.logits(pixels)

    white = np.full((12, 12, 3), 255, np.uint8)
    effects = A.occlusion(pl.load(Bright(), size=12), white, "p(0)", size=12, stride=12, fill="black").values
    assert float(effects.max()) == pytest.approx(1 / (1 + math.exp(-4)) - 0.5)


@pytest.mark.parametrize("scores", ["logits", "multilabel"])
def test_a_masked_class_leaves_the_others(scores: Any) -> None:
    class Masked(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            return self.logits(pixels).masked_fill(torch.tensor([False, True, False]), -torch.inf)

    net, logits, found = said(Masked(), scores=scores, labels=["cat", "dog", "car"])
    kept = logits[[0, 2]]
    right = kept.softmax(0) if scores == "logits" else kept.sigmoid()
    assert by_index(found) == pytest.approx(right.tolist())
    assert {g.label for g in found.ranked[0]} == {"cat", "car"}
    for asked, value in (("cat", kept[0]), ("p(cat)", right[0]), ("p(dog)", 0.0), ("loss(car)", -right[1].log())):
        if asked != "p(dog)":
            heat = A.gradient(net, IMAGE, asked)
            assert heat.meta.score == pytest.approx([float(value)]), asked
            assert np.isfinite(heat.values).all()
        assert float(t.Target.of(asked, net)(net.run(pl.Images.of(IMAGE)))) == pytest.approx(float(value))
    for method in ("finer_cam", "occlusion_rank", "score_cam", "occlusion_products"):
        getattr(A, method)(net, IMAGE, "cat")
    assert [c.name for c in pl.explain(net, IMAGE, methods=("gradient",)).columns] == [g.label for g in found.ranked[0]]
    with pytest.raises(Refused, match="the score of dog is −infinity: Masked masks it"):
        A.gradient(net, IMAGE, "dog")


@pytest.mark.parametrize("asked", [1, "best guess"])
def test_a_saturated_output_names_the_logit_before_it(asked: Any) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(400, 3), nn.Softmax(1))
    network[2].bias.data[1] = 40.0
    net = pl.load(network, size=12)
    heat = A.gradient(net, IMAGE, asked)
    assert any("saturated" in note and "2:" in note for note in heat.meta.said)
    assert np.any(A.gradient(net, IMAGE, "2:1").values)
    assert heat.unit == "probability per pixel range"


@pytest.mark.parametrize("end", [lambda s: s[:, :, None, None], lambda s: s[:, None, None, :], lambda s: s[:, None]])
def test_classes_behind_sides_of_one(end: Any) -> None:
    _, logits, found = said(Small(end=end), scores="logits", labels=["a", "b", "c"])
    assert by_index(found) == pytest.approx(logits.softmax(0).tolist(), rel=1e-4)


def test_a_region_where_each_label_stands_by_itself() -> None:
    class Seg(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            maps = torch.zeros(len(pixels), 2, 4, 4) + 0 * pixels.mean()
            maps[:, :, 0, 0], maps[:, 1, 1, 1] = 0.8, 0.9
            return maps

    image = pl.Images.of(IMAGE)
    labels = ["cat", "dog"]
    told = pl.load(Seg(), size=12, scores="probabilities", labels=labels)
    assert float(t.Region("cat")(told.run(image))) == pytest.approx(0.8)
    assert float(t.Region("dog")(told.run(image))) == pytest.approx(0.85)
    assert t.Region("dog").unit_of(told) == "probability"


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "lrp", "occlusion", "rise", "integrated_gradients"])
@pytest.mark.parametrize("wrong", ["two rows", "one row", "a number"])
def test_one_row_for_each_image_is_needed(method: str, wrong: str) -> None:
    class Rows(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            scores = self.logits(torch.cat([pixels, pixels.flip(3)]))
            return {"two rows": scores, "one row": scores[0], "a number": scores.sum()}[wrong]

    net = pl.load(Rows(), size=12)
    with pytest.raises(Refused, match=r"Rows returns (\d+×3|3|one number) for \d+ images?, and one row for each"):
        getattr(A, method)(net, IMAGE, 1)
    with pytest.raises(Refused, match="one row for each image"):
        net.predict(pl.Images.of(IMAGE))


def test_the_advice_about_rows_works() -> None:
    class Mean(Small):
        def forward(self, pixels: Tensor) -> Tensor:
            return self.logits(torch.cat([pixels, pixels.flip(3)])).view(2, len(pixels), -1).mean(0)

    assert np.isfinite(A.gradient(pl.load(Mean(), size=12), IMAGE, 1).values).all()


def test_the_network_is_as_it_was_and_nothing_is_kept() -> None:
    network = Small(end=nn.Softmax(1))
    net = pl.load(network, size=12)
    net.predict(pl.Images.of(IMAGE))
    assert set(net._cache) <= {"ending", "looks", "outputs", "pictures", "structure"}
    assert not any(isinstance(value, Tensor) for value in net._cache.values())
