"""Mislabeled images: what was made wrong comes first, decisions are kept beside the data, and the page asks nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.decisions import Decision
from pellucid.errors import PellucidError, Refused
from pellucid.index import Index
from pellucid.net import Labels
from pellucid.result import Suspects
from tests.draw.test_pictures import assert_tidy
from tests.test_every_method import indexed, tiny

WRONG = (7, 20)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Sixty red, green and blue images, two of which have the label of another."""
    folder = tmp_path_factory.mktemp("colors")
    chance, labels = np.random.default_rng(2), np.arange(60) % 3
    pixels = chance.random((60, 6, 6, 3)) * 0.3
    pixels[np.arange(60), :, :, labels] += 0.6
    labels[list(WRONG)] = (labels[list(WRONG)] + 1) % 3
    np.savez(folder / "photos.npz", images=(255 * pixels.repeat(6, 1).repeat(6, 2)).astype(np.uint8), labels=labels)
    return pl.units.index(tiny(), folder / "photos.npz", store=folder / "x.index", count=4, embed=("relu",))


@pytest.fixture(scope="module")
def suspects(index: Index) -> Suspects:
    return pl.examples.mislabeled(index, count=6, second="colors", noise=0)


def test_what_was_made_wrong_comes_first(suspects: Suspects) -> None:
    assert sorted(suspects.images[:2].tolist()) == list(WRONG)
    names = ("cat", "dog", "cow")
    for m in range(2):
        i = int(suspects.images[m])
        assert suspects.given[m] == names[(i + 1) % 3]
        assert suspects.suggestions[m] == names[i % 3]
        assert suspects.probabilities[m, 1] > suspects.probabilities[m, 0]
    assert (np.diff(suspects.values) <= 0).all()
    assert suspects.total == 60
    assert suspects.near.shape == (6, 2, 5)
    assert suspects.margins is not None
    assert (suspects.margins[:2, -1] < 0).all()


def test_neighbors_are_others_with_their_labels(suspects: Suspects) -> None:
    for m in range(len(suspects)):
        near = suspects.near[m]
        assert suspects.shown[m] not in near
        assert all(len(set(row)) == 5 for row in near.tolist())
    first = suspects.near[0, 1]
    assert {suspects.thumb_labels[i] for i in first} == {suspects.suggestions[0]}
    assert suspects.names[0] == suspects.thumb_names[suspects.shown[0]]


def test_the_table_says_how_good_every_score_is_here(index: Index) -> None:
    found = pl.examples.mislabeled(index, count=3, second="colors")
    table = found.tables["scores"]
    assert table["score"][0] in found.findings[1].lower() or table["score"][0] in found.findings[1]
    assert all(0 <= row["pair"] <= 1 for row in table.rows)
    assert set(table["score"]) == set(found.scores)
    assert "image" in found.describe()["suspects"][0]


def test_decisions_are_written_and_read(suspects: Suspects, tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    first, second, third = suspects.names[:3]
    found = suspects.decide(path, {first: "accept", second: suspects.suggestions[1], third: "remove"})
    assert found.rows[0] == Decision(first, suspects.given[0], "accept", suspects.suggestions[0])
    assert found.rows[1].decision == "accept"
    assert [one.holds for one in suspects.decide(path).rows] == [*suspects.suggestions[:2], ""]
    other = next(name for name in suspects.classes if name not in (suspects.given[2], suspects.suggestions[2]))
    found = suspects.decide(path, {third: other, second: suspects.given[1]})
    assert {one.image: one.decision for one in found.rows} == {first: "accept", second: "reject", third: "relabel"}


def test_decisions_about_other_labels_are_refused(suspects: Suspects, tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(f"image,given,decision,label\n{suspects.names[0]},owl,remove,\n")
    with pytest.raises(PellucidError, match="as 'owl'"):
        suspects.decide(path)
    with pytest.raises(PellucidError, match="No such file"):
        suspects.decide(tmp_path / "none.csv")
    with pytest.raises(PellucidError, match="accpt"):
        suspects.decide(tmp_path / "none.csv", {suspects.names[0]: "accpt"})
    with pytest.raises(PellucidError, match="suspect"):
        suspects.decide(tmp_path / "none.csv", {"nobody.png": "accept"})
    assert not (tmp_path / "none.csv").exists()


def test_the_page_holds_everything_and_asks_nobody(suspects: Suspects, tmp_path: Path) -> None:
    page = pl.draw(suspects).save(tmp_path / "x.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|src=\"|href=\"", page)
    assert "default-src 'none'" in page
    inside = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert inside is not None
    data = json.loads(inside[1])
    assert [one["image"] for one in data["suspects"]] == list(suspects.names)
    assert data["classes"] == ["cat", "dog", "cow"]


def test_the_picture_is_tidy(suspects: Suspects) -> None:
    picture = pl.draw(suspects)
    assert_tidy(picture)
    assert suspects.suggestions[0] in picture.alt


def test_one_alone_and_a_file_are_the_same(suspects: Suspects, tmp_path: Path) -> None:
    assert suspects[1].names == suspects.names[1:2]
    assert suspects[1].margins.shape[0] == 1
    found = pl.open(suspects.save(tmp_path / "x.npz"))
    assert np.array_equal(found.margins, suspects.margins)
    assert found.findings == suspects.findings


def test_margins_are_those_of_checkpoints(index: Index, suspects: Suspects, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    net = tiny()
    for step, scale in ((1, 0.5), (2, 1.0)):
        state = {name: value.clone() for name, value in net.module.state_dict().items()}
        state["head.weight"] *= scale
        save_file(state, tmp_path / f"step_{step}.safetensors")
    found = pl.examples.mislabeled(index, count=6, second="colors", noise=0, run=str(tmp_path))
    assert found.steps.tolist() == [1, 2]
    output = net.run(net.prepare(index.read(int(found.images[0])))).output.detach().log_softmax(1)[0].numpy()
    given = found.classes.index(found.given[0])
    assert found.margins[0, 1] == pytest.approx(output[given] - np.delete(output, given).max(), abs=1e-6)
    with pytest.raises(PellucidError, match="2 runs"):
        pl.examples.mislabeled(index, noise=0, run=[str(tmp_path)] * 2)


def test_small_classes_are_judged_by_the_network_alone(tmp_path: Path) -> None:
    pixels = (np.random.default_rng(0).random((6, 32, 32, 3)) * 255).astype(np.uint8)
    np.savez(tmp_path / "photos.npz", images=pixels, labels=np.arange(6) % 3)
    index = pl.units.index(tiny(), tmp_path / "photos.npz", store=tmp_path / "x.index", count=2, embed=("relu",))
    found = pl.examples.mislabeled(index, count=3)
    assert found.scores == ("own self-confidence", "own margin", "combined")
    assert any("fewer than 5 images" in str(note) for note in found.meta.notes)
    assert found.margins is None
    assert_tidy(pl.draw(found))


def test_what_cannot_be_is_refused(index: Index, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"clors.*colors"):
        pl.examples.mislabeled(index, second="clors")
    pixels = (np.random.default_rng(0).random((6, 32, 32, 3)) * 255).astype(np.uint8)
    np.savez(tmp_path / "photos.npz", images=pixels)
    bare = pl.units.index(tiny(), tmp_path / "photos.npz", store=tmp_path / "x.index", count=2, embed=("relu",))
    with pytest.raises((PellucidError, Refused), match="class"):
        pl.examples.mislabeled(bare)


def test_scores_are_ranked_by_wrong_labels(index: Index) -> None:
    found = pl.examples.scores(index, repeats=1, count=4, second="colors")
    table = found["scores"]
    means = [(row["symmetric"] + row["pair"]) / 2 for row in table.rows]
    assert means == sorted(means, reverse=True)
    assert found.meta.found["best"] == table["score"][0]
    assert sorted(int(name) for name in found["images"]["image"][:2]) == sorted(WRONG)
    assert_tidy(pl.draw(found))


def test_mending_what_is_wrong_is_measured(index: Index, suspects: Suspects, tmp_path: Path) -> None:
    fixed = suspects.decide(tmp_path / "d.csv", dict.fromkeys(suspects.names[:2], "accept"))
    data = index.source
    found = pl.examples.retrained(tiny(), data, decisions=fixed, repeats=3)
    rows = {row["labels"]: row for row in found["labels"].rows}
    assert rows["as given"]["gain"] is None
    assert rows["mended"]["images"] == rows["as given"]["images"] == 45
    assert rows["mended"]["low"] <= rows["mended"]["gain"] <= rows["mended"]["high"]
    assert found.meta.found["accept"] == 2
    again = pl.examples.retrained(tiny(), data, decisions=str(tmp_path / "d.csv"), repeats=3)
    assert again["labels"].rows == found["labels"].rows


def test_decisions_about_files_of_a_folder_are_met_by_a_network_too(tmp_path: Path) -> None:
    for i in range(12):
        place = tmp_path / "photos" / ("cat", "dog")[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 16, 3), 20 * i, np.uint8)).save(place / f"{i}.png")
    (tmp_path / "d.csv").write_text("image,given,decision,label\ncat/0.png,cat,relabel,dog\n")
    found = pl.examples.retrained(
        tiny(), tmp_path / "photos", decisions=tmp_path / "d.csv", what="network", repeats=2, recipe="epochs=1"
    )
    assert found.meta.found["decided"] == 1


def test_what_no_memory_holds_is_left_out_of_the_scores(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.training_set.suspected.COURSE", 10)
    found = pl.examples.mislabeled(index, count=3, noise=0)
    assert "AUM" not in found.scores
    assert "CV margin" in found.scores
    assert found.margins is None
    assert any("scores of its course are left out" in str(note) for note in found.meta.notes)


def test_the_index_of_every_method_is_small() -> None:
    """Its classes have fewer images than folds: what the universal tests ask."""
    assert len(pl.examples.mislabeled(indexed(tiny()), count=2)) == 2


def test_other_networks_see_the_images(index: Index) -> None:
    """One of the same classes answers, too; one of others is read only, and a last layer fitted to what it reads."""
    same, other = tiny(), tiny()
    other = replace(other, name="other", labels=Labels.plain(["x", "y", "z"]))
    found = pl.examples.mislabeled(
        index, count=6, second="colors", noise=0, networks=[replace(same, name="same"), other]
    )
    assert sorted(found.images[:2].tolist()) == list(WRONG)
    assert {"CV margin, same", "own margin, same", "CV margin, other"} <= set(found.scores)
    assert "own margin, other" not in found.scores
    table = pl.examples.scores(index, repeats=1, count=4, second="colors", networks=[other])["scores"]
    assert any("of other" in row["measures"] for row in table.rows)
