"""Mistake: what the engine finds, of an index, with a map of the one class rather than the other."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.index import Index
from pellucid.target import Logit
from pellucid.training_set.causes import CAUSES, NONE, RIGHT
from pellucid.training_set.examples import examples_of
from tests.test_every_method import indexed, photos, tiny

COUNT = 40


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Images whose color is their class, of a data set with classes of its own; one of them has a wrong label."""
    folder = tmp_path_factory.mktemp("colors")
    chance, labels = np.random.default_rng(2), np.arange(COUNT) % 2
    pixels = chance.random((COUNT, 6, 6, 3)) * 0.3
    pixels[np.arange(COUNT), :, :, labels] += 0.6
    labels[7] = 0
    shown = (255 * pixels.repeat(6, 1).repeat(6, 2)).astype(np.uint8)
    names = ["red", "green"]
    for i, one in enumerate(shown):
        place = folder / "photos" / names[labels[i]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(one).save(place / f"{i:02}.png")
    return pl.units.index(tiny(), folder / "photos", store=folder / "x.index", count=4, embed=("relu",))


def place(index: Index, name: str) -> int:
    return next(i for i in range(index.n_images) if name in index.names(np.array([i]))[0])


def test_a_wrong_label_of_the_index_is_told(index: Index) -> None:
    found = pl.examples.mistake(index, index.read(place(index, "07.png")), second="colors", count=3)
    assert found.given == ("red",)
    assert found.answers == ("green",)
    assert found.verdicts == (CAUSES[1],)
    assert "its label red is probably wrong" in found.sentences[0]
    assert found.meta.found["in the index"] == (1,)
    assert found.meta.found["chance of a wrong label"][0] >= 0.5
    assert not any("07.png" in name for rows in found.cases[0].names for row in rows for name in row)
    assert found.doubts.shape == (1, 4, 3)


def test_the_map_is_of_the_difference_of_two_logits() -> None:
    net = tiny()
    index = indexed(net)
    found = pl.examples.mistake(index, photos(1), label="cat", of="gradient")
    one, other = (net.class_index(name) for name in (found.rivals[0], "cat"))
    wanted = pl.attribution.gradient(net, photos(1), Logit(one) - Logit(other))
    assert np.allclose(found.maps[0].values, wanted.values)
    assert found.maps[0].unit == wanted.unit


def test_classes_of_the_data_have_maps_of_the_fitted_layer(index: Index) -> None:
    examples = examples_of(index)
    assert examples.fitted
    image = index.read(0)
    found = pl.examples.mistake(index, image, second="colors")
    features = examples.read(image)[0].astype(np.float64)
    cells = found.maps[0].values[0]
    weight = examples.weight[1] - examples.weight[0]
    sign = 1 if found.rivals[0] == examples.classes[1] else -1
    assert np.isclose(cells.sum(), sign * float(weight @ features), rtol=1e-3)  # Grad-CAM sums to the logit less bias


def test_a_right_answer_is_no_mistake(index: Index) -> None:
    found = pl.examples.mistake(index, index.read(0), second="colors")
    assert found.verdicts == (RIGHT,)
    assert found.answers == found.given
    assert found.rivals != found.given
    assert "no mistake" in found.sentences[0]


def test_rows_are_the_nearest_and_the_most_influential(index: Index) -> None:
    image = index.read(place(index, "07.png"))
    found = pl.examples.mistake(index, image, second="colors", count=5).cases[0]
    near = pl.examples.nearest(index, image, descriptors=("colors",), count=6)
    for r in range(2):
        assert found.images[0, r].tolist() == near.images[0, r, 1:].tolist()
        assert np.allclose(found.values[0, r], near.values[0, r, 1:])
    made = pl.examples.influence(index, image, label="red", full=True)
    own = np.flatnonzero(made.numbers == near.images[0, 0, 0])
    scores = np.delete(made.scores[0], own)
    assert np.allclose(found.values[0, 2], np.sort(scores)[:5])
    assert np.allclose(found.values[0, 3], np.sort(scores)[::-1][:5])


def test_few_images_of_each_class_are_said_to_be_few() -> None:
    found = pl.examples.mistake(indexed(tiny()), photos(2), label="cat")
    assert all(one in (*CAUSES, NONE, RIGHT) for one in found.verdicts)
    assert any("fewer than 5 images" in str(note) for note in found.meta.notes)


def test_bad_questions() -> None:
    index = indexed(tiny())
    with pytest.raises(PellucidError, match=r"'photo 0'.*label=CLASS"):
        pl.examples.mistake(index, photos(1))
    with pytest.raises(PellucidError, match=r"'cot'.*cat"):
        pl.examples.mistake(index, photos(1), label="cot")
    with pytest.raises(PellucidError, match="second space"):
        pl.examples.mistake(index, photos(1), label="cat", second="hogg")
    with pytest.raises((PellucidError, Refused), match="of="):
        pl.examples.mistake(index, photos(1), label="cat", of="influence")
