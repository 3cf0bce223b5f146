"""Pictures of building blocks: what adds is as wide as it is, and what is left over is never left out."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.lit import lit, plus
from pellucid.draw.look import Look
from pellucid.draw.sheet import Shape, Words
from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.result import BlockLayer, Blocks, Meta
from tests.draw.test_pictures import assert_tidy


def layer(shares: tuple[float, ...], residual: float, links: np.ndarray | None = None, name: str = "act") -> BlockLayer:
    count = len(shares)
    values = np.zeros((1, count, 4, 4))
    for k in range(count):
        values[0, k, k % 4] = 1
    return BlockLayer(
        name, values, np.array([shares]), np.array([residual]), np.arange(3 * count).reshape(1, count, 3),
        np.array([0.5]), Placement.stretched(4, 4, 32, 32), tuple(f"group {k + 1}" for k in range(count)),
        directions=np.ones((1, count, 7)), agreement=np.full((1, count), 0.9), empty=np.array([0.25]),
        pictures=np.full((1, count, 16, 16, 3), 90, np.uint8), links=links,
    )  # fmt: skip


def blocks(*layers: BlockLayer) -> Blocks:
    photo = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    return Blocks(
        layers, photo, "logit", ("they agree",), Meta(title="Blocks", found={"score": (3.0,), "target": "dog"})
    )


def words_of(picture: pl.draw.Picture) -> list[str]:  # type: ignore[name-defined]
    return [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]


@pytest.mark.parametrize("count", [1, 3, 6, 9])
def test_one_layer_has_a_card_for_each_group_and_says_what_is_left(count: int) -> None:
    picture = pl.draw(blocks(layer(tuple(np.linspace(2, -1, count)), 0.75)))
    assert_tidy(picture)
    said = words_of(picture)
    assert sum("agrees 0.90" in one for one in said) == count
    assert {"left over by the groups", "+0.75", "with the layer at zero", "+0.25"} <= set(said)
    assert "left over +0.75" in picture.alt


def ribbons(picture: pl.draw.Picture) -> list[Shape]:  # type: ignore[name-defined]
    return [mark for mark in picture.sheet.marks if isinstance(mark, Shape) and mark.opacity == 0.42]


def thick(ribbon: Shape) -> float:
    return ribbon.points[-1][1] - ribbon.points[0][1]


def test_ribbons_are_as_thick_as_what_comes_through() -> None:
    links = np.array([[[1.0, 0.0, 0.5], [0.25, -0.5, 0.0], [0.0, 0.0, 0.25]]])
    picture = pl.draw(blocks(layer((1.25, -0.5), 0.75, links, "early"), layer((1.5, 0.5), -0.25, name="late")))
    assert_tidy(picture)
    found = ribbons(picture)
    assert len(found) == 3 + 5 + 3, "none for a link of nothing"
    middle = sorted(round(thick(one) / thick(found[0]), 3) for one in found[3:8])
    assert middle == sorted(round(value / 1.25, 3) for value in (1.0, 0.5, 0.25, 0.5, 0.25))
    assert len({one.fill for one in found}) == 2, "one color for what adds, one for what takes"
    assert sum("left over by the groups" in one for one in words_of(picture)) == 2


def test_the_photo_is_lit_where_a_group_is() -> None:
    one = blocks(layer((1.0, 0.5), 0.0))
    shown = lit(one.photos[0], one.layers[0].values[0, 0], one.layers[0].placement, 32, Look())
    assert np.abs(shown[:3].astype(int) - one.photos[0, :3]).max() <= 2
    assert shown[-8:].std() < one.photos[0, -8:].std() / 2


def test_cells_have_a_row_each() -> None:
    units = BlockLayer(
        "act", np.ones((1, 2, 4, 4)), np.array([[0.5, -0.25]]), np.array([1.0]), np.array([[[17], [4]]]), np.zeros(1),
        Placement.stretched(4, 4, 32, 32), ("unit 1", "unit 2"), pictures=np.zeros((1, 2, 16, 16, 3), np.uint8),
        patches=np.zeros((1, 2, 16, 16, 3), np.uint8), cells=np.array([[1, 3]]), activations=np.array([[2.0, 1.0]]),
    )  # fmt: skip
    picture = pl.draw(blocks(units, units))
    assert_tidy(picture)
    assert words_of(picture).count("cell 1,3") == 2
    assert "unit 17" in words_of(picture)
    assert "cell 1,3 of act: units 17, 4" in picture.alt


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(PellucidError, match="no blocks"):
        pl.draw(blocks())


def test_signs_are_written() -> None:
    assert (plus(1.5), plus(-1.5), plus(0)) == ("+1.5", "−1.5", "0")
