"""Layers as a page asks about them: the table, the maps, and how each number is made, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from torch import Tensor, nn

from pellucid.errors import PellucidError, UnknownName
from pellucid.net import Net, Preprocess
from pellucid.web.answers import layers
from pellucid.web.session import Session

ABOUT: dict[str, Any] = {"net": "n0", "image": "s-panda"}
ACTIVATIONS = (nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.SiLU(inplace=True), nn.Hardswish(), nn.Sigmoid(),
               nn.Tanh(), nn.GELU(), nn.LeakyReLU(0.2), nn.ELU(), nn.Hardsigmoid(), nn.Mish())  # fmt: skip


def session(module: nn.Module, folder: Path, size: tuple[int, int] = (19, 16)) -> Session:
    torch.manual_seed(0)
    for part in module.modules():  # not what it is before training, where a norm does nothing
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            for one in (part.running_mean, part.weight, part.bias):
                nn.init.normal_(one)
            nn.init.uniform_(part.running_var, 0.5, 2)
    net = Net(module.eval(), "small", Preprocess(resize=size, mean=(0.5,), std=(0.3,)))
    return Session({"folder": str(folder)}, net)


def said(here: Session, answer: Any, **about: Any) -> dict[str, Any]:
    """What a page reads: the JSON, with arrays where tensors are named."""
    content = next(answer(here, {**ABOUT, **about}, b""))[1]
    length = int.from_bytes(content[:8], "little")
    head, held = json.loads(content[8 : 8 + length])["__metadata__"]["about"], load(content)

    def filled(one: Any) -> Any:
        if isinstance(one, dict):
            return (held[one["$"]] * np.float32(one.get("scale", 1)) if "$" in one else
                    {key: filled(part) for key, part in one.items()})  # fmt: skip
        return [filled(part) for part in one] if isinstance(one, list) else one

    found: dict[str, Any] = filled(json.loads(head))["it"]
    return found


def steps(here: Session, layer: str, unit: int, row: int = 0, column: int = 0) -> list[dict[str, Any]]:
    """The steps of a number, all of which agree with the network."""
    found = said(here, layers.cell, layer=layer, unit=unit, row=row, column=column)
    assert found["why"] == ""
    value = here.net("n0").run(here.net("n0").prepare(here.image("s-panda")), layers=[layer])[layer][0, unit]
    assert found["steps"][-1]["value"] == pytest.approx(
        float(value if value.dim() == 0 else value[row, column]), abs=1e-6
    )
    assert [one["agrees"] for one in found["steps"]] == [True] * len(found["steps"])
    return list(found["steps"])


class Everything(nn.Module):
    """One of each thing that is taken apart."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=4, bias=False)
        self.depthwise = nn.Conv2d(12, 12, (3, 1), padding="same", groups=12)
        self.back = nn.Conv2d(12, 8, 1)
        self.largest = nn.MaxPool2d(3, 2, 1)
        self.mean = nn.AvgPool2d(2, 2, ceil_mode=True, padding=1)
        self.tight = nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.gated, self.joined = nn.Identity(), nn.Identity()
        self.small = nn.AdaptiveAvgPool2d((2, 2))
        self.turned = nn.Identity()
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu_()
        x = x + self.back(self.depthwise(self.grouped(x)))
        x = self.gated(x * self.gate(self.squeeze(x)).sigmoid())
        x = self.largest(x)
        x = self.joined(torch.cat([self.mean(x), self.tight(x)], 1))
        self.turned(self.small(x.relu()).flip(2))
        found: Tensor = self.head(x.mean((2, 3)))
        return found


@pytest.fixture
def everything(tmp_path: Path) -> Session:
    return session(Everything(), tmp_path)


@pytest.mark.slow
def test_every_layer_is_made_of_steps_that_agree_at_borders_and_inside(everything: Session) -> None:
    rows = next(layers.layers(everything, ABOUT, b""))[0]["rows"]
    kinds = {}
    for row in rows:
        if row["name"] == "turned":
            continue
        height, width = row["shape"][1:] or (1, 1)
        for place in {(0, 0), (height - 1, width - 1), (height // 2, width // 2), (0, width - 1)}:
            for unit in (0, row["units"] - 1):
                kinds[row["name"]] = [one["kind"] for one in steps(everything, row["name"], unit, *place)]
    assert kinds == {
        "stem": ["convolution"], "norm": ["convolution", "norm"], "grouped": ["convolution"],
        "depthwise": ["convolution"], "back": ["convolution"], "squeeze": ["pooling"], "gate": ["convolution"],
        "gated": ["product"], "largest": ["pooling"], "mean": ["pooling"], "tight": ["pooling"], "joined": ["join"],
        "small": ["pooling"], "head": ["linear"],
    }  # fmt: skip


def test_a_window_says_where_it_lies_and_what_is_beyond_the_border(everything: Session) -> None:
    [step] = steps(everything, "stem", 3)
    assert (step["reads"], step["rows"], step["columns"]) == ("", [-1, 0, 1], [-1, 0, 1])
    assert step["inside"].tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    assert (step["patch"][:, 0] == 0).all()
    assert step["bias"] is not None
    [step] = steps(everything, "grouped", 4, 5, 5)
    assert (step["channels"], step["of"], step["rows"]) == ([2, 4], 8, [3, 5, 7])
    assert step["patch"].shape == step["kernel"].shape == (2, 3, 3)
    assert step["bias"] is None


def test_branches_are_named_by_the_layers_that_made_them(everything: Session) -> None:
    [step] = steps(everything, "gated", 2, 1, 1)
    assert step["terms"][0]["value"] * step["terms"][1]["value"] == pytest.approx(step["value"], rel=1e-5)
    [step] = steps(everything, "joined", 9)
    assert (step["reads"], step["unit"]) == ("tight", 1)
    assert steps(everything, "back", 0)[0]["reads"] == "depthwise"


def test_what_is_not_known_is_named_and_nothing_is_made_up(everything: Session) -> None:
    [step] = said(everything, layers.cell, layer="turned", unit=0, row=1, column=1)["steps"]
    assert (step["kind"], step["operation"], step["made"], step["agrees"]) == ("unknown", "flip", None, None)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda one: type(one).__name__)
def test_activations_of_all_kinds(activation: nn.Module, tmp_path: Path) -> None:
    here = session(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), activation), tmp_path)
    for unit in range(4):
        found = steps(here, "2", unit, 7, 5)
        assert [one["kind"] for one in found] == ["convolution", "norm", "activation"]
        assert [one["layer"] for one in found] == ["0", "1", "2"]
        assert found[2]["number"] == found[1]["value"], "also where the network writes over it"


def test_a_norm_that_does_not_say_what_it_does_is_found_out(tmp_path: Path) -> None:
    class Odd(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            x = super().forward(x)
            x.data[0, 0, 0, 0] = 7.0  # behind the back of every operation
            return x

    here = session(nn.Sequential(Odd(3, 2, 1)), tmp_path)
    found = said(here, layers.cell, layer="0", unit=0)
    assert found["value"] == 7.0
    assert found["why"] or not found["steps"][0]["agrees"]


def test_maps_come_in_pages_with_three_numbers_of_every_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = session(nn.Sequential(nn.Conv2d(3, 10, 3), nn.ReLU()), tmp_path, (12, 10))
    whole = here.net("n0").run(here.net("n0").prepare(here.image("s-panda")), layers=["1"])["1"][0].numpy()
    first = said(here, layers.layer_maps, layer="1", count=4)
    assert first["units"] == [0, 1, 2, 3]
    assert np.allclose(first["maps"], whole[:4], atol=1e-5)
    assert np.allclose(first["max"], whole.max((1, 2)))
    assert np.allclose(first["silent"], (whole == 0).mean((1, 2)))
    last = said(here, layers.layer_maps, layer="1", count=4, unit=9, sort="mean")
    order = np.lexsort((-whole.mean((1, 2)), -whole.mean((1, 2))))
    assert last["order"].tolist() == order.tolist()
    assert 9 in last["units"]
    assert last["start"] % 4 == 0
    monkeypatch.setattr(layers, "_MOST", 3 * 80)  # large maps: fewer at once
    assert said(here, layers.layer_maps, layer="1")["count"] == 3


def test_the_table_says_which_share_of_units_is_silent(tmp_path: Path) -> None:
    first = nn.Conv2d(3, 4, 1)
    module = nn.Sequential(first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        nn.init.zeros_(first.weight)
        assert first.bias is not None
        first.bias.copy_(torch.tensor([-1.0, 1, 1, 1]))
    rows = next(layers.layers(session(module, tmp_path), ABOUT, b""))[0]["rows"]
    assert [row["silent"] for row in rows] == [0, 0.25, 0.25, 0.25, 0]
    assert [row["units"] for row in rows] == [4, 4, 4, 4, 2]
    assert rows[0]["field"] == [1, 1]


@pytest.mark.parametrize("about", [
    {"layer": "stem", "unit": 8}, {"layer": "stem", "unit": 0, "row": 99}, {"layer": "head", "unit": 0, "column": 1},
])  # fmt: skip
def test_a_number_that_is_not_there_is_refused(about: dict[str, Any], everything: Session) -> None:
    with pytest.raises(PellucidError, match="it has 0 to"):
        said(everything, layers.cell, **about)


def test_a_layer_that_is_not_there_is_answered_with_the_nearest(everything: Session) -> None:
    with pytest.raises(UnknownName, match="stem"):
        said(everything, layers.layer_maps, layer="sten")
