"""Meta: the question, the facts of each noun by its argument, what was found, and the notes of one image of many."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.catalogue import method
from pellucid.catalogue.ask import Ask
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.nouns import Noun
from pellucid.result import Asked, Meta, Table
from tests.result.same import same
from tests.test_every_method import photos, tiny


@dataclass(frozen=True)
class Fields(Noun):
    """A kind with facts of its own, which nothing in the package knows."""

    crops: tuple[str, ...]
    title = "two fields"

    @classmethod
    def of(cls, value: Any) -> Fields:
        return value if isinstance(value, Fields) else cls(tuple(value.split("+")))

    def facts(self) -> dict[str, Any]:
        return {"crops": self.crops, "count": len(self.crops), "bounds": {"low": 0.5, "high": float("inf")}}

    @property
    def notes(self) -> tuple[Note, ...]:
        return (Note("input", f"{len(self.crops)} fields"),)


@method("Two networks", source="Nobody 2026, section 1", over="all")
def two(net: Net, other: Net, fields: Fields, *, seed: int = 3) -> Table:
    """Which weights are which."""
    return Table({"weights": (net.weights, other.weights)}, {"weights": ""}, meta=Meta(found={"gap": 0.25}))


def networks() -> tuple[Net, Net]:
    one, other = tiny(), tiny()
    other.module.head.weight.data.zero_()
    return one, Net(other.module, "other", other.preprocess, other.labels)


def test_two_networks_and_a_new_kind_stand_by_the_name_of_their_argument(tmp_path: Path) -> None:
    one, other = networks()
    found = two(one, other, "wheat+rye")
    meta = found.meta
    assert [*meta.nouns] == ["net", "other", "fields"]
    assert [meta.nouns[name]["net"] for name in ("net", "other")] == ["tiny", "other"]
    assert (meta.nouns["net"]["weights"], meta.nouns["other"]["weights"]) == found.columns["weights"]
    assert len(set(found.columns["weights"])) == 2
    assert (meta.net, meta.weights, meta.seed) == ("tiny", one.weights, 3)
    assert meta.nouns["fields"] == Fields(("wheat", "rye")).facts()
    assert (meta.found, meta.fact("gap"), meta.fact("nothing", "none")) == ({"gap": 0.25}, 0.25, "none")
    assert Note("input", "2 fields") in meta.notes
    assert meta.asked == Asked(
        "two", {"net": "tiny", "other": "other", "fields": "wheat+rye"}, {"seed": 3}, ("net", "other")
    )
    same(pl.open(found.save(tmp_path / "x.npz")), found)
    said = json.loads(json.dumps(found.describe()["meta"], allow_nan=False))
    assert said["nouns"]["fields"] == {"crops": ["wheat", "rye"], "count": 2, "bounds": {"low": 0.5, "high": None}}
    assert two(one, other, Fields(("wheat",))).meta.asked.nouns["fields"] == "two fields"
    assert "fields" in two(one, other, Fields(("wheat",))).meta.asked.in_memory


@method("Measured", source="Nobody 2026, section 1", over="all")
def measured(net: Net) -> Table:
    """Numbers as NumPy has them."""
    found = {"gap": np.float32(0.5), "score": tuple(np.arange(2.0)), "count": np.int64(3)}
    return Table({"a": (1,)}, {"a": ""}, meta=Meta(found=found))  # type: ignore[arg-type]


def test_numbers_of_numpy_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    found = measured(tiny())
    assert {name: repr(value) for name, value in found.meta.found.items()} == {
        "gap": "0.5", "score": "(0.0, 1.0)", "count": "3",
    }  # fmt: skip
    same(pl.open(found.save(tmp_path / "x.npz")), found)


def test_a_result_can_be_asked_again(tmp_path: Path) -> None:
    net, images = tiny(), photos(2)
    heats = pl.attribution.smooth_grad(
        net, images, ["dog", "best guess"], of="lrp:composite=epsilon", samples=2, seed=5
    )
    for heat, target in zip(heats, ("dog", "best guess"), strict=True):
        kept: Any = pl.open(heat.save(tmp_path / "x.npz"))
        asked = kept.meta.asked
        assert (asked.nouns["target"], asked.in_memory) == (target, ("net", "images"))
        assert json.loads(json.dumps(asked.to_json()))["nouns"] == {"target": target}
        again = Ask.of(asked).answer(net, images)
        same(again, heat)
    fill = pl.read(np.zeros((8, 8, 3)))
    covered = pl.attribution.occlusion(net, images, "dog", fill=fill, size=16, stride=16)
    assert covered.meta.nouns["fill"] == {"images": fill.ids}
    assert covered.meta.options["fill"] == fill.ids[0]
    with pytest.raises(PellucidError, match=r"occlusion: fill was in memory only, .*: ask with fill=…"):
        Ask.of(covered.meta.asked)


def test_one_image_of_several_has_what_was_found_of_it_and_its_own_notes() -> None:
    names, about = ("a", "b", "c"), {"images": {"images": ("a", "b", "c")}, "fill": {"images": ("x", "y", "z")}}
    notes = (
        Note("network", "all"),
        *(Note("values", f"{name} alone", name) for name in names),
        Note("input", "x", "x"),
    )
    meta = Meta(
        Asked("m", {"images": "a, b, c"}, {"fill": "x"}), nouns=about, notes=notes,
        found={"score": (1.0, 2.0, 3.0), "targets": ("dog", "cat", "dog"), "pair": (1.0, 2.0), "layer": "conv"},
    )  # fmt: skip
    one = meta.of(slice(1, 2), 3)
    assert (one.images, one.targets, one.target, one.score, one.layer) == (("b",), ("cat",), "cat", (2.0,), "conv")
    assert one.found["pair"] == (1.0, 2.0)
    assert one.nouns["fill"] == about["fill"], "an option is not about the images"
    assert one.notes == (notes[0], notes[2], notes[4])
    assert (one.asked, meta.images, meta.notes) == (meta.asked, names, notes)


def test_a_note_on_one_of_several_images_follows_it() -> None:
    values = [*photos(2).pictures]
    images = Images.from_pictures([values[0][:, :32, :32], values[1][:, :32, :32] * 0], ["full", "black"])
    heat = pl.attribution.occlusion(tiny(), images, "dog", fill="black", size=16, stride=16)
    note = Note("values", "the map is zero everywhere: nothing there moves this score", "black")
    assert heat.meta.notes == (note,)
    assert (heat[0].meta.notes, heat[1].meta.notes) == ((), (note,))
    text = "\n".join(str(mark) for mark in pl.draw(heat).sheet.marks)
    assert "black: the map is zero" in text
    assert "zero everywhere" not in "\n".join(str(mark) for mark in pl.draw(heat[0]).sheet.marks)


def test_coverage_is_by_operation_and_rule_and_in_words_for_people(tmp_path: Path) -> None:
    heat = pl.attribution.guided_backprop(tiny(), photos(1), "dog")
    assert heat.meta.coverage["relu", "guided"] == 3
    assert heat.meta.as_dict()["coverage"] == {"relu: guided": 3}
    assert heat.describe()["meta"]["coverage"] == {"relu: guided": 3}
    kept: Any = pl.open(heat.save(tmp_path / "x.npz"))
    assert kept.meta.coverage == {("relu", "guided"): 3}


def test_nothing_is_found_where_nothing_was_asked() -> None:
    meta = Meta()
    assert (meta.method, meta.target, meta.net, meta.images, meta.layer, meta.seed) == ("", None, "", (), None, None)
    assert (meta.targets, meta.score, meta.completeness, meta.absorbed, meta.said) == ((), None, None, False, ())
    plain = meta.as_dict()
    assert isinstance(json.dumps(plain), str)
    assert isinstance(plain["asked"], Mapping)
