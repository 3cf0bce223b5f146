"""Targets: what people write, what it means, and the numbers that come back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid import target as t
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Labels, Net, Preprocess, Run
from pellucid.plugins import TARGETS
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
        (np.int64(1), [3.0, -2.0]),
        (SCORES[0].argmax(), [3.0, -2.0]),  # the commonest way to get a class
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


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("out[3]", [-1.0, 1.0]),
        ("-out[0]", [-1.0, 0.0]),
        ("-1 × 1", [-3.0, 2.0]),
        ("-tiger cat", [-3.0, 2.0]),
        ("2 × 1", [6.0, -4.0]),
        ("0.5*tiger cat - 2 * out[0]", [-0.5, -1.0]),
        ("tabby - tiger cat + 4", [-1.5, 5.5]),  # from the left, as arithmetic goes
        ("tabby - tiger cat - 4 + 2", [-0.5, 2.5]),
        ("best guess", [3.0, 4.0]),
        ("best guess - guess 2", [1.0, 0.5]),
        ("max(layer4:2)", [11.0, 23.0]),
        ("sum(layer4:2)", [38.0, 86.0]),
    ],
)
def test_grammar_of_numbers(asked: str, expected: list[float]) -> None:
    target = Target.of(asked)
    assert target(RUN).tolist() == pytest.approx(expected)
    assert Target.of(str(target)) == target


def test_a_negative_number_is_no_class() -> None:
    with pytest.raises(UnknownName, match="no class '-1'"):
        Target.of("-1")(RUN)
    assert str(-t.Logit(1)) == "-1 × 1"


def test_a_loss_can_be_written() -> None:
    assert Target.of("loss(tiger cat)") == t.Loss("tiger cat")
    assert Target.of("-loss(1)")(RUN).tolist() == pytest.approx(torch.log_softmax(SCORES, 1)[:, 1].tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out[0,4]", t.Output(0, 4)),
        ("out[ 0 , 4 ]", t.Output(0, 4)),
        ("region(tiger cat)", t.Region("tiger cat")),
        ("region(3)", t.Region(3)),
        ("region(dog - big)", t.Region("dog - big")),  # a sign in brackets is part of the name
        ("box(dog,10,20,110,220)", t.Box("dog", (10, 20, 110, 220))),
        ("box(a dog, small, -3, 20.5, 110, 220)", t.Box("a dog, small", (-3, 20.5, 110, 220))),
        ("word(17,3)", t.Word(17, 3)),
        ("word(a, 0)", t.Word("a", 0)),
        ("sentence(4,17,9)", t.Sentence((4, 17, 9))),
        ("sentence(a, red fox)", t.Sentence(("a", "red fox"))),
        ("similar(my - cat.jpg)", t.Similarity("my - cat.jpg")),
        ("similar(sample:panda at layer4.1)", t.Similarity("sample:panda", "layer4.1")),
        ("dog (small) - cat", t.Logit("dog (small)") - t.Logit("cat")),
    ],
)
def test_grammar_of_kinds(text: str, expected: Target) -> None:
    assert Target.of(text) == expected
    assert Target.of(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("box(dog,1,2,3)", r"write box\(CLASS,x1,y1,x2,y2\)"),
        ("box(dog,9,2,3,4)", "with x1 < x2"),
        ("word(3)", r"write word\(TOKEN,POSITION\)"),
        ("sentence()", "write sentence"),
        ("sentence(1,,2)", "write sentence"),
        ("region()", "write region"),
        ("similar()", "write similar"),
        ("max(cat)", r"write max\(LAYER:UNIT\)"),
        ("p()", "write p"),
        ("-", "empty"),
    ],
)
def test_nonsense_is_answered_before_a_network_runs(text: str, how: str) -> None:
    with pytest.raises(PellucidError, match=how):
        Target.of(text)


MASK = torch.tensor([[True, False], [True, True]])
VALUES = [
    t.Output(0, 4), t.Region("cat"), t.Region(1, MASK), t.Box(2, (0, 0, 4, 4)), t.Word(3, 1), t.Sentence((1, 2)),
    t.Similarity("sample:panda"), t.Similarity((1.0, 2.0), "layer4"), t.Similarity(torch.full((3, 4, 5), 0.25)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_every_kind_is_a_value(value: Target) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    assert len({value, again, value + value}) == 2
    assert str(2 * value - t.Logit(1)) == f"2 × {value} - 1"
    assert (value - value).layers == value.layers


def test_masks_are_compared_by_their_pixels() -> None:
    assert t.Region(1, MASK) == t.Region(1, MASK.numpy()) != t.Region(1, ~MASK)
    assert str(t.Region(1, MASK)) == "region(1, 3 pixels of 2 × 2)"
    for bad in (MASK.float(), torch.zeros(2, 2, dtype=torch.bool), MASK[0]):
        with pytest.raises(PellucidError, match="give \\(height, width\\) booleans"):
            t.Region(1, bad)


def test_outputs_of_any_shape() -> None:
    run = Run(NET, MAPS, {})
    assert t.Output(1, 0, 1)(run).tolist() == [5.0, 17.0]
    for index in ((1,), (0, 0, 2), (3, 0, 0), (-1, 0, 0)):
        with pytest.raises(UnknownName, match=r"toy gives 3×2×2 numbers per image, out\[0,0,0\] to out\[2,1,1\]"):
            t.Output(*index)(run)
    flat = Run(Net(nn.Identity(), "age"), torch.tensor([2.0, 7.0]), {})
    assert t.Output(0)(flat).tolist() == [2.0, 7.0]
    assert Target.of("-out[0]")(flat).tolist() == [-2.0, -7.0]


def test_names_of_every_kind() -> None:
    asked = {
        "region(1)": "region(tiger cat)",
        "box(0,1,2,3,4)": "box(tabby,1,2,3,4)",
        "word(1,3)": "word(tiger cat,3)",
        "sentence(0,1)": "sentence(tabby,tiger cat)",
        "loss(1)": "loss(tiger cat)",
        "out[1]": "out[1]",
    }
    assert {text: str(named(Target.of(text), NET)) for text in asked} == asked
    bare = Net(nn.Identity(), "bare")
    assert str(named(Target.of("sentence(0,1) - word(1,2)"), bare)) == "sentence(0,1) - word(1,2)"


def test_several_come_from_any_sequence() -> None:
    """A list is several, and so is a range or a tuple; a text is one."""
    for several in ([1, 2], (1, 2), range(1, 3), ["1", 2]):
        assert t.Targets.of(several).parts == (t.Logit(1), t.Logit(2))
    assert len(t.Targets.of("12")) == 1


def test_what_each_kind_says_of_itself() -> None:
    """Which unit among its peers, and which classes: what code asks of a target instead of asking for its kind."""
    said = {
        "tabby": (t.Peer(None, 0), ("tabby",), "tabby"),
        "p(tabby)": (t.Peer(None, 0), ("tabby",), "tabby"),
        "loss(tabby)": (None, ("tabby",), "tabby"),
        "region(tabby)": (None, ("tabby",), None),
        "-tabby": (t.Peer(None, 0, sign=-1), ("tabby",), None),
        "tabby - tiger cat": (None, ("tabby", "tiger cat"), None),
        "out[2]": (t.Peer(None, 2), (), None),
        "out[2,0]": (None, (), None),
        "a:3": (t.Peer("a", 3, "mean"), (), None),
        "sum(a:3)": (t.Peer("a", 3, "mean"), (), None),
        "max(a:3)": (t.Peer("a", 3, "max"), (), None),
        "a:3@1,2": (t.Peer("a", 3, (1, 2)), (), None),
        "energy(a)": (None, (), None),
        "word(1,2)": (None, (), None),
        "best guess": (None, (), None),
    }
    for text, expected in said.items():
        target = Target.of(text)
        assert (target.peer(NET), target.class_names, target.class_asked) == expected, text


def test_a_cell_follows_what_it_saw() -> None:
    """Four cells 2 pixels apart: a picture moved by one cell is seen by its neighbor; everything else stays."""
    net = Net(nn.Sequential(nn.Conv2d(3, 1, 2, stride=2)), "toy", Preprocess(resize=8, crop=(8, 8)))
    moved = np.array([[1.0, 0, 2], [0, 1, -2], [0, 0, 1]])
    assert Target.of("0:0@1,2").followed(net, moved) == Target.of("0:0@2,1")
    assert Target.of("0.5 × 0:0@1,2 + 0:0").followed(net, moved) == Target.of("0.5 × 0:0@2,1 + 0:0")
    assert Target.of("0:0@1,2").followed(net, np.eye(3)) == Target.of("0:0@1,2")
    for text in ("0:0", "best guess", "energy(0)"):
        assert Target.of(text).followed(net, moved) is not None
        assert Target.of(text).followed(net, moved) == Target.of(text)


def test_every_form_has_an_example_that_reads_back() -> None:
    for row in TARGETS.rows():
        for example in row.said["examples"]:
            made = Target.of(example)
            assert type(made) is TARGETS.load(row), example
            assert str(Target.of(str(made))) == str(made)
        assert row.said["help"]
        assert str(row.first) in Target.help
        assert f"`{row.first}`" in (Target.of.__doc__ or "")
