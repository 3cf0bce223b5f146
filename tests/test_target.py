"""Targets: what people write, what it means, and the numbers that come back."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import Tensor, nn

from pellucid import target as t
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Labels, Net, Preprocess, Run
from pellucid.target import Target, fixed, named

LABELS = Labels((("tabby", "tabby cat"), ("tiger cat",), ("crane",), ("crane",), ("black-and-tan coonhound",)),
                ("n02123045", "n02123159", "n02012849", "n03126707", "n02089078"))  # fmt: skip
SCORES = torch.tensor([[1.0, 3.0, 2.0, -1.0, 0.5], [0.0, -2.0, 4.0, 1.0, 3.5]])
NET = Net(nn.Identity(), "toy", Preprocess(), LABELS)
MAPS = torch.arange(2 * 3 * 2 * 2, dtype=torch.float32).view(2, 3, 2, 2)
RUN = Run(NET, SCORES, {"layer4": MAPS, "fc": SCORES})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (1, [3.0, -2.0]),
        ("1", [3.0, -2.0]),
        ("tiger cat", [3.0, -2.0]),
        ("Tiger Cat", [3.0, -2.0]),
        ("tabby cat", [1.0, 0.0]),
        ("n02123159", [3.0, -2.0]),
        ("n03126707", [-1.0, 1.0]),
        ("black-and-tan coonhound", [0.5, 3.5]),
        ("tiger cat - tabby", [2.0, -2.0]),
        ("tabby + tiger cat - 4", [3.5, -5.5]),
        (None, [3.0, 4.0]),
        (t.Top(2), [2.0, 3.5]),
        ("layer4:1", [5.5, 17.5]),
        ("layer4:1@1,0", [6.0, 18.0]),
        ("fc:2", [2.0, 4.0]),
        (t.Channel("layer4", 2, "max"), [11.0, 23.0]),
        (t.Channel("layer4", 2, "sum"), [38.0, 86.0]),
        (t.Direction("layer4", (1, 0, -1)), [-8.0, -8.0]),
        (2 * t.Logit(1), [6.0, -4.0]),
        (-t.Logit(1) + t.Logit(0) * 3, [0.0, 2.0]),
    ],
)
def test_numbers(asked: object, expected: list[float]) -> None:
    assert Target.of(asked)(RUN).tolist() == pytest.approx(expected)


def test_probability_and_loss() -> None:
    p = torch.softmax(SCORES, 1)[:, 1]
    assert torch.allclose(Target.of("p(tiger cat)")(RUN), p)
    assert torch.allclose(t.Loss("tiger cat")(RUN), -p.log())


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ("tigr cat", UnknownName, "no class 'tigr cat'; nearest of 5: tiger cat"),
        ("crane", UnknownName, "2 classes are called 'crane': say which, n02012849, n03126707"),
        ("n02123999", UnknownName, "no class 'n02123999'; nearest"),
        (5, UnknownName, "no class 5: toy has 5 outputs, 0 to 4"),
        (-1, UnknownName, "no class -1"),
        (t.Top(9), UnknownName, "no guess of rank 9"),
        ("layer4:3", UnknownName, "no unit 3 in layer 'layer4': it has 3, 0 to 2"),
        ("layer4:1@2,0", UnknownName, "no cell 2,0 in layer 'layer4': its maps are 2 × 2"),
        (t.Direction("layer4", (1, 2)), PellucidError, "a direction of 2 numbers"),
    ],
)
def test_misses_name_what_would_work(asked: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Target.of(asked)(RUN)


@pytest.mark.parametrize("asked", ["", "  ", True, 1.5, [], object()])
def test_what_is_no_target(asked: object) -> None:
    with pytest.raises(PellucidError, match="target"):
        Target.of(asked)


def test_values_compare_hash_and_pickle() -> None:
    a, b = Target.of("tiger cat - tabby"), t.Logit("tiger cat") - t.Logit("tabby")
    assert a == b
    assert len({a, b}) == 1
    assert pickle.loads(pickle.dumps(a)) == a
    assert str(Target.of(str(a))) == str(a) == "tiger cat - tabby"
    assert str(-t.Logit(3) * 2) == "-2 × 3"
    assert Target.of(a) is a


def test_names_for_people() -> None:
    assert str(named(Target.of("282 - p(1)").of("0 - p(1)"), NET)) == "tabby - p(tiger cat)"
    assert str(named(t.BEST, NET)) == "best guess"


def test_best_guess_can_be_fixed() -> None:
    one = Run(NET, SCORES[:1], {})
    assert fixed(t.BEST, one) == t.Logit(1)
    assert fixed(t.Top(2) - t.BEST, one) == t.Logit(2) - t.Logit(1)


def test_layers_are_announced() -> None:
    assert (Target.of("layer4:1") - Target.of("fc:2") + t.Logit(1)).layers == ("layer4", "fc")
    assert t.Logit(1).layers == ()


def test_names_need_labels() -> None:
    run = Run(Net(nn.Identity(), "bare"), SCORES, {})
    assert t.Logit(1)(run).tolist() == [3.0, -2.0]
    with pytest.raises(UnknownName, match="bare has no labels"):
        t.Logit("cat")(run)


def test_maps_are_no_scores() -> None:
    with pytest.raises(Refused, match="3×2×2 numbers per image"):
        t.Logit(1)(Run(NET, MAPS, {}))


class One(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((1, 2, 3))


def test_one_logit_heads() -> None:
    net = Net(One(), labels=Labels.plain(["benign", "malignant"]))
    run = net.run(torch.full((2, 3, 2, 2), 0.5))
    assert t.Logit("malignant")(run).tolist() == [0.5, 0.5]
    assert t.Logit("benign")(run).tolist() == [-0.5, -0.5]
    assert t.Probability("benign")(run).tolist() == pytest.approx([torch.sigmoid(torch.tensor(-0.5)).item()] * 2)
    assert t.Loss("benign")(run).tolist() == pytest.approx([0.9740769] * 2)
    assert t.BEST(run).tolist() == [0.5, 0.5]
    regression = Net(One(), "age")
    assert t.Logit(0)(regression.run(torch.full((1, 3, 2, 2), 0.5))).tolist() == [0.5]
    with pytest.raises(UnknownName, match="no class 1: age has 1 outputs"):
        t.Logit(1)(regression.run(torch.full((1, 3, 2, 2), 0.5)))
