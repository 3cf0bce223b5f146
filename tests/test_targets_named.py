"""Targets with names that grammar would read otherwise, functions as targets, modules as layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid import target as t
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Run

A = pl.attribution
IMAGE = (np.random.default_rng(0).random((12, 12, 3)) * 255).astype(np.uint8)
NAMES = ["p(x)", "out[0]", "a + b", "conv 1:2", "-dog", "best guess", "Corn (maize): rust", "a - b - c", "a", "c",
         "2 * a", "sum(x)", "7"]  # fmt: skip


class Named(nn.Module):
    """Layers in a dictionary, whose names hold what names of attributes cannot."""

    def __init__(self, classes: int = len(NAMES)) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            parts = {
                "conv 1": nn.Conv2d(3, 4, 3),
                "block/2": nn.Conv2d(4, 6, 3),
                "a - b": nn.Conv2d(6, 6, 3, padding=1),
            }
            self.parts, self.head = nn.ModuleDict(parts), nn.Linear(6, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        for part in self.parts.values():
            pixels = part(pixels).relu()
        return self.head(pixels.mean((2, 3)))


NET = pl.load(Named(), size=12, labels=NAMES)
SCORES = NET.run(pl.Images.of(IMAGE)).scores[0].detach()


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_name_of_a_class_comes_before_grammar(name: str) -> None:
    index = NAMES.index(name)
    heat = A.gradient(NET, IMAGE, name)
    assert heat.meta.score == pytest.approx([float(SCORES[index])], abs=1e-6)
    assert heat.meta.target == name
    chance = A.gradient(NET, IMAGE, f"p({name})").meta.score
    assert chance == pytest.approx([float(SCORES.softmax(0)[index])], abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("a - b - c - a", lambda s: s[7] - s[8]),
        ("a - a - b - c", lambda s: s[8] - s[7]),
        ("a + b - c", lambda s: s[2] - s[9]),
        ("a - c", lambda s: s[8] - s[9]),
        ("2 * c", lambda s: 2 * s[9]),
        ("7 - 8", lambda s: s[12] - s[8]),
        ("p(7) - p(a + b)", lambda s: s.softmax(0)[12] - s.softmax(0)[2]),
    ],
)
def test_sums_of_such_names(asked: str, value: Any) -> None:
    assert A.gradient(NET, IMAGE, asked).meta.score == pytest.approx([float(value(SCORES))], abs=1e-6)


@pytest.mark.parametrize(
    "asked",
    ["parts.conv 1:2", "max(parts.block/2:5)", "parts.block/2:1@0,0", "energy(parts.conv 1)", "parts.a - b:3",
     "parts.conv 1:2 - parts.block/2:1"],
)  # fmt: skip
def test_units_of_layers_in_a_dictionary(asked: str) -> None:
    assert np.isfinite(A.gradient(NET, IMAGE, asked).values).all()


def test_a_name_that_is_nowhere_is_answered_as_before() -> None:
    with pytest.raises(UnknownName, match="no class 'b'"):
        A.gradient(NET, IMAGE, "a - b")
    with pytest.raises(UnknownName, match=r"no layer 'parts\.conv'"):
        A.gradient(NET, IMAGE, "parts.conv:1")


def first(run: Run) -> Tensor:
    return run.output[:, 1]


@pytest.mark.parametrize(("asked", "name"), [(first, "first"), (lambda run: run.output[:, 1], "lambda")])
@pytest.mark.parametrize("method", ["gradient", "grad_cam", "occlusion", "lrp"])
def test_a_function_is_a_target(asked: Any, name: str, method: str) -> None:
    options = {"size": 6, "stride": 6} if method == "occlusion" else {}
    heat = getattr(A, method)(NET, IMAGE, asked, **options)
    assert np.allclose(heat.values, getattr(A, method)(NET, IMAGE, 1, **options).values)
    assert heat.meta.target == name
    assert name in pl.draw(heat).alt


def test_a_function_may_read_layers() -> None:
    asked = t.Function(lambda run: run["parts.conv 1"][:, 2].mean((1, 2)), layers=("parts.conv 1",))
    assert A.gradient(NET, IMAGE, asked).meta.score == A.gradient(NET, IMAGE, "parts.conv 1:2").meta.score
    with pytest.raises(PellucidError, match=r"KeyError: 'head'.*Function\(lambda, layers="):
        A.gradient(NET, IMAGE, lambda run: run["head"][:, 0])


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda run: run.output, "gave 1×13 numbers for 1 images: one for each"),
        (lambda run: run.output.sum(), "gave no numbers for 1 images"),
        (lambda run: 3.0, "gave a float: it must give a tensor of floats"),
        (lambda run: run.output[:, 1].long(), "gave a tensor of torch.int64"),
        (lambda run: run.nothing, "failed: AttributeError"),
        (lambda: 0, "failed: TypeError"),
    ],
)
def test_a_function_that_gives_something_else(function: Any, said: str) -> None:
    with pytest.raises(PellucidError, match=said) as caught:
        A.gradient(NET, IMAGE, function)
    assert "\n" not in str(caught.value)


class Own(t.Target):
    """A target of somebody's own."""

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows

    def __call__(self, run: Run) -> Tensor:
        return torch.cat([run.output[:, 1] * 2] * self.rows)

    def __str__(self) -> str:
        return "twice class 1"


def test_a_subclass_of_target() -> None:
    heat = A.grad_cam(NET, IMAGE, Own())
    assert heat.meta.target == "twice class 1"
    assert heat.unit == "score"
    with pytest.raises(PellucidError, match="the target twice class 1 gave 2 numbers for 1 images"):
        A.grad_cam(NET, IMAGE, Own(2))


@pytest.mark.slow
@pytest.mark.parametrize("asked", [np.int32(1), np.argmax([0, 1]), torch.tensor(1), torch.tensor([1]), np.array([1])])
def test_numbers_of_any_library(asked: Any) -> None:
    assert A.gradient(NET, IMAGE, asked).meta.target == "out[0]"
    assert pl.explain(NET, IMAGE, truth=asked, methods=("gradient",)).columns
    assert t.Target.of(asked) == t.Logit(1)


@pytest.mark.parametrize("asked", [True, torch.tensor(True), 1.5, torch.tensor([1, 2]), b"a", t.Logit, nn.ReLU(), {}])
def test_what_is_no_target(asked: Any) -> None:
    with pytest.raises(PellucidError, match="no target"):
        t.Target.of(asked)


@pytest.mark.parametrize("method", ["grad_cam", "hires_cam", "eigen_cam", "excitation_backprop", "guided_grad_cam"])
def test_a_layer_may_be_the_module_itself(method: str) -> None:
    function = getattr(A, method)
    heat = function(NET, IMAGE, layer=NET.module.parts["block/2"])
    named = function(NET, IMAGE, layer="parts.block/2")
    assert heat.meta == named.meta
    assert np.array_equal(heat.values, named.values)


def test_layers_as_modules_in_a_list_and_elsewhere() -> None:
    parts = NET.module.parts
    several = A.grad_cam(NET, IMAGE, 1, layer=[parts["conv 1"], "parts.block/2"])
    assert several.meta.layer == "parts.conv 1, parts.block/2"
    with pytest.raises(UnknownName, match="that Conv2d is no layer of Named"):
        A.grad_cam(NET, IMAGE, 1, layer=nn.Conv2d(1, 1, 1))
    with pytest.raises(UnknownName, match="that Named is no layer"):
        A.grad_cam(NET, IMAGE, 1, layer=NET.module)


def test_no_layer_before_the_one_that_is_asked_about() -> None:
    net = pl.load(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 2)), size=12)
    with pytest.raises(Refused, match=r"no layer with places comes before 0, which the target reads.*gradient"):
        A.grad_cam(net, IMAGE, "0:0")
    assert A.gradient(net, IMAGE, "0:0").values.any()
