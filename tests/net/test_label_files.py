"""Names of classes out of the files that go round with trained networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.errors import PellucidError, UnknownName
from pellucid.images import Images
from pellucid.net.label_files import labels_of
from pellucid.net.labels import Labels
from pellucid.net.load import load

WNIDS = ("n01440764", "n01443537", "n01484850")
FISH = ("tench", "goldfish", "great white shark")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dict.txt", "{0: 'tench', 1: \"goldfish\", 2: 'great white shark'}"),
        ("list.txt", "['tench',\n 'goldfish',\n 'great white shark']"),
        ("dict.json", '{"0": "tench", "2": "great white shark", "1": "goldfish"}'),
        ("config.json", '{"model": "x", "id2label": {"0": "tench", "1": "goldfish", "2": "great white shark"}}'),
        ("coco.json", '[{"id": 1, "name": "goldfish"}, {"id": 0, "name": "tench"}, '
         '{"id": 2, "name": "great white shark"}]'),
        ("numbered.txt", "0 tench\r\n1 goldfish\r\n2 great white shark\r\n"),
        ("colons.txt", "0: tench\n2: great white shark\n1: goldfish\n\n"),
        ("commas.txt", "0,tench\n1,goldfish\n2,great white shark"),
        ("header.csv", "index,name\n0,tench\n1,goldfish\n2,great white shark\n"),
        ("turned.csv", "class_name;class_id\r\ngoldfish;1\r\ntench;0\r\ngreat white shark;2\r\n"),
        ("bare.csv", "tench\ngoldfish\ngreat white shark"),
        ("titled.csv", "\ufeffname\ntench\ngoldfish\ngreat white shark\n\n"),
        ("no_header.csv", '0,tench\n1,goldfish\n2,"great white shark"'),
        ("table.tsv", "id\tlabel\tcount\n0\ttench\t5\n1\tgoldfish\t5\n2\tgreat white shark\t7\n"),
        ("header.txt", "id,label\n0,tench\n1,goldfish\n2,great white shark\n"),
    ],
)  # fmt: skip
def test_plain_names(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert labels_of(tmp_path / name) == Labels.plain(FISH)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("synset_words.txt", "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n"
         "n01484850 great white shark\n"),
        ("map.tsv", "n01440764\ttench, Tinca tinca\nn01443537\tgoldfish, Carassius auratus\n"
         "n01484850\tgreat white shark"),
        ("index.json", '{"0": ["n01440764", "tench", "Tinca tinca"], "2": ["n01484850", "great white shark"], '
         '"1": ["n01443537", "goldfish", "Carassius auratus"]}'),
        ("wnids.csv", 'wnid,index,name\nn01443537,1,"goldfish, Carassius auratus"\nn01440764,0,"tench, Tinca tinca"\n'
         "n01484850,2,great white shark\n"),
    ],
)  # fmt: skip
def test_wordnet_ids(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    labels = labels_of(tmp_path / name)
    assert labels.wnids == WNIDS
    assert [labels.name(i) for i in range(3)] == list(FISH)
    for asked in ("goldfish", "Carassius auratus", "n01443537", "N01443537".lower()):
        assert labels.find(asked) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("one.txt", "1 tench\n2 goldfish\n3 shark", "run from 1 to 3, and outputs are counted from 0"),
        ("gap.csv", "id,name\n0,tench\n2,goldfish\n", "the numbers must be 0 to 1, each once"),
        ("code.txt", "{0: __import__('os').getcwd()}", "neither JSON nor a Python literal"),
        ("deep.txt", "[" * 5000 + "]" * 5000, "neither JSON nor a Python literal"),
        ("gap.txt", "tench\n\ngoldfish", "class 1 has no name"),
        ("empty.txt", "\n\n", "the list is empty"),
        ("data.yaml", "names: [a]", r"\.yaml is not read"),
        ("wide.csv", "tench,fish\ngoldfish,fish\n", "which of its 2 columns are the names"),
        ("binary.txt", "a\0b", "that is no text"),
    ],
)
def test_refused_in_one_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PellucidError, match=said) as caught:
        labels_of(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_names_that_only_look_like_a_table(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("3 people\n2 cars\ntench, Tinca tinca\n[unknown]")
    labels = labels_of(tmp_path / "x.txt")
    assert labels.find("3 people") == 0
    assert labels.find("Tinca tinca") == labels.find("tench, Tinca tinca") == 2
    (tmp_path / "y.txt").write_text("[background]\ncat")
    assert labels_of(tmp_path / "y.txt").name(0) == "[background]"
    assert labels_of(["dog, small", "dog, large", "dog"]).find("dog") == 2  # the whole name first


class Flat(nn.Module):
    """`count` outputs."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.head = nn.Linear(12, count)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(pixels.flatten(1))


@pytest.mark.parametrize(
    ("labels", "outputs", "said"),
    [
        (["background", "cat", "dog"], 2, "3 labels for 2 outputs of Flat: the first, 'background', has no output"),
        (["__background__", "a", "b", "c"], 3, "leave it out"),
        (["cat", "dog"], 3, "where output 0 is a background, begin labels= with the name 'background'"),
        (["a", "b", "c", "d"], 2, "needs a name for each output"),
        (["a", "b", "c"], 1, "needs a name for each output"),
    ],
)
def test_as_many_labels_as_outputs(labels: list[str], outputs: int, said: str) -> None:
    image = Images.of(np.zeros((2, 2, 3), np.uint8))
    net = load(Flat(outputs), size=2, labels=labels)
    for ask in (lambda: net.predict(image), lambda: net.run(image).scores):
        with pytest.raises(PellucidError, match=said):
            ask()
    assert net.run(image).output.shape == (1, outputs)  # what needs no names goes on


@pytest.mark.parametrize("asked", ["2", " 2 ", 3])
def test_names_that_are_numbers(asked: Any) -> None:
    net = load(Flat(12), size=2, labels=sorted(map(str, range(12))))  # 0, 1, 10, 11, 2, …
    assert net.class_index(asked) == (4 if isinstance(asked, str) else 3)
    assert load(Flat(12), size=2).class_index("2") == 2
    assert load(Flat(3), size=2, labels=["a", "b", "7"]).class_index("1") == 1  # no name: the number


@pytest.mark.parametrize("asked", [True, np.bool_(True), torch.tensor(True), 1.0, None, [1], np.array([1, 2]),
                                   torch.tensor([0, 1])])  # fmt: skip
def test_what_is_no_whole_number(asked: Any) -> None:
    with pytest.raises(PellucidError, match="a name, or a whole number"):
        load(Flat(3), size=2).class_index(asked)


@pytest.mark.parametrize("asked", [np.uint8(1), np.array(1), np.array([1]), torch.tensor([1]), torch.tensor(1).long()])
def test_whole_numbers_of_any_library(asked: Any) -> None:
    assert load(Flat(3), size=2).class_index(asked) == 1


def test_a_number_that_is_no_class() -> None:
    with pytest.raises(UnknownName, match="no class"):
        load(Flat(3), size=2, labels=["a", "b", "c"]).class_index("-1")
