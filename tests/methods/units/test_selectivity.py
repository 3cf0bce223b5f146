"""Selectivity and the crops under it: planted tastes are found, formulas re-derived pixel by pixel in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.index import Index
from pellucid.index.changes import answers
from pellucid.index.crops import Asked, Spot, spots, strongest
from pellucid.index.perturb import (
    LUMA,
    inside,
    luminance_gray,
    mirror,
    moved,
    opponent,
    principal_gray,
    shuffled,
    turn,
)  # fmt: skip
from pellucid.index.selectivity import measured
from tests.methods.units.planted import BAR, BLOB, DOUBLE, FIELD, LIGHT, MARK, RED, SILENT, SIZE, indexed, kernels


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return indexed(tmp_path_factory.mktemp("planted"))


def values(index: Index, unit: int, **options: object) -> dict[str, float]:
    table = pl.units.selectivity(index, f"act:{unit}", **options)
    return dict(zip(table["index"], table["value"], strict=True))


def slow(unit: int, picture: np.ndarray, place: int) -> float:
    """The unit at a place of a picture (3, H, W), from its kernel."""
    weight, bias = kernels()
    row, column = 2 * (place // 21), 2 * (place % 21)
    return max((picture[:, row : row + FIELD, column : column + FIELD] * weight[unit]).sum() + bias[unit], 0)


def test_color_is_found(index: Index) -> None:
    red, light = values(index, RED, properties=("color",)), values(index, LIGHT, properties=("color",))
    assert min(red.values()) > 0.99
    assert abs(light["color, brightness kept"]) < 0.1
    assert light["color, brightness kept"] < red["color, brightness kept"]


def test_orientation_and_symmetry_are_found(index: Index) -> None:
    bar, blob = (values(index, unit, properties=("orientation", "symmetry"), step=45) for unit in (BAR, BLOB))
    assert bar["orientation 90°"] > 0.5
    assert bar["orientation 180°"] == pytest.approx(0, abs=1e-5)
    assert bar["symmetry 0°"] == pytest.approx(1, abs=1e-5)
    assert bar["symmetry 90°"] == pytest.approx(1, abs=1e-5)
    assert bar["symmetry 45°"] < 0.5
    assert blob["symmetry, mean"] == pytest.approx(1, abs=1e-5)
    for by in (90, 180, 270):
        assert blob[f"orientation {by}°"] == pytest.approx(0, abs=1e-5)
    assert blob["orientation, mean"] < 0.2 < 0.4 < bar["orientation, mean"]  # between right angles pixels are mixed


def test_the_class_is_found(index: Index) -> None:
    table = pl.units.selectivity(index, f"act:{MARK}", properties=("class",), threshold=0.95)
    rows = {row["index"]: row for row in table.rows}
    assert rows["class"]["detail"] == "b"
    assert rows["class"]["value"] == 1
    assert (rows["class, classes needed"]["amount"], rows["class, population code"]["amount"]) == (1, 1)
    assert rows["class, entropy"]["amount"] == pytest.approx(0, abs=1e-9)
    assert rows["class, all images"]["value"] > 0.95
    assert rows["class, random images"]["value"] > 0.9
    assert "b has 100 % of the activation" in table.findings[0]
    control = values(index, LIGHT, properties=("class",))
    assert control["class"] < 0.9
    assert control["class, all images"] < 0.2


def test_shape_is_lost_by_shuffling(index: Index) -> None:
    assert values(index, BAR, properties=("shape",))["shape"] > 0.5


def test_every_number_is_that_of_the_formula(index: Index) -> None:
    """The paper's grays, turns and reflections, from the kernel, one picture after the other."""
    unit = pl.units.Unit("act", BAR)
    top = strongest(index, unit, 12)
    found = answers(index, unit, top, ["principal", "luminance", "turned 90", "mirrored 45", "shape"], 0)
    own, gray, bright, turned, mirrored, mixed = [], [], [], [], [], []
    for spot in spots(index, unit, top):
        picture, box = spot.pixels.double().numpy(), spot.inside
        crop = picture[:, box[0] : box[2], box[1] : box[3]]
        assert crop.shape == (3, FIELD, FIELD)

        def said(inner: np.ndarray, picture: np.ndarray = picture, spot: Spot = spot) -> float:
            box, changed = spot.inside, picture.copy()
            changed[:, box[0] : box[2], box[1] : box[3]] = inner
            return slow(BAR, changed, spot.place)

        r, g, b = crop
        planes = np.stack([(r + g + b - 1.5) / 1.5, r - g, (r + g - 2 * b) / 2]).reshape(3, -1)
        planes = planes - planes.mean(1, keepdims=True)
        left, _, _ = np.linalg.svd(planes, full_matrices=False)
        axis = left[:, 0] * np.sign(left[0, 0])
        score = axis @ planes
        gray.append(said(((score - score.min()) / np.ptp(score)).reshape(FIELD, FIELD)))
        light = 0.299 * r + 0.587 * g + 0.114 * b
        gain = min(np.sqrt(crop.var(axis=(1, 2)).mean()) / light.std(), 3)
        bright.append(said((crop.mean() + (light - light.mean()) * gain).clip(0, 1)))
        own.append(said(crop))
        turned.append(said(np.rot90(crop, axes=(1, 2))))
        mirrored.append(said(crop[:, ::-1, ::-1].transpose(0, 2, 1)))
        mixed.append(said(shuffled(torch.from_numpy(crop), 0, index.source.name(spot.image)).numpy()))
    np.testing.assert_allclose(found.own, own, rtol=1e-5)
    for name, slowly in (
        ("principal", gray), ("luminance", bright), ("turned 90", turned), ("mirrored 45", mirrored), ("shape", mixed),
    ):  # fmt: skip
        np.testing.assert_allclose(found.changed[name], slowly, atol=2e-6)
        assert found.lost(name) == pytest.approx(1 - np.sum(slowly) / np.sum(own), abs=1e-5)
        each = [1 - min(max(b / a, 0), 1) for a, b in zip(own, slowly, strict=True)]  # each with its own partner
        assert found.clipped(name) == pytest.approx(np.mean(each), abs=1e-5)


def test_bars_are_the_spread_over_resamples(index: Index) -> None:
    table = pl.units.selectivity(index, f"act:{BAR}", properties=("shape",), resamples=400)
    found = answers(index, pl.units.Unit("act", BAR), strongest(index, pl.units.Unit("act", BAR), 12), ["shape"], 0)
    chance = np.random.default_rng(0)
    lost = []
    for _ in range(400):
        one = chance.integers(0, 12, 12)
        lost.append(1 - found.changed["shape"][one].sum() / found.own[one].sum())
    assert table["error"][0] == pytest.approx(np.std(lost), rel=0.25)
    assert pl.units.selectivity(index, f"act:{BAR}", properties=("shape",), count=1)["error"] == (None,)


def test_pictures_without_color_or_labels_have_no_such_rows(tmp_path: pytest.TempPathFactory) -> None:
    from tests.sweep.made import photos, small

    plain = pl.units.index(small(), photos(tmp_path / "photos", 12), store=tmp_path / "x", layers=("act",), count=4)
    table = pl.units.selectivity(plain, "act:1", properties=("class", "shape"))
    assert table["index"] == ("shape",)
    assert any("no labels" in note for note in table.meta.said)


def test_what_is_refused(index: Index) -> None:
    with pytest.raises(PellucidError, match="act:6 is above zero on none of the 30 images"):
        pl.units.selectivity(index, f"act:{SILENT}")
    with pytest.raises(PellucidError, match="count=13: the index keeps the 12 strongest"):
        pl.units.selectivity(index, "act:0", count=13)
    with pytest.raises(PellucidError, match="selectivity: properties="):
        pl.units.selectivity(index, "act:0", properties=("taste",))


def at_edge(index: Index) -> Spot:
    """A field of 7 × 7 that lies half outside: 4 × 6 of it are there."""
    pixels = torch.from_numpy(np.random.default_rng(3).random((3, SIZE, SIZE)).astype(np.float32))
    return Spot(pixels, (-3, 42, 4, 49), 0, 1.0, 0)


def test_fields_at_the_edge_are_mirrored_not_scrambled(index: Index) -> None:
    """Of a field that is no square only what lies in the picture moves, pixel by pixel (a reshape scrambles them)."""
    spot = at_edge(index)
    crop = inside(spot).numpy()
    assert crop.shape == (3, 4, 6)
    flipped = moved(spot, [mirror(90), mirror(0), turn(180)]).numpy()

    def folded(at: int, size: int) -> int:
        while not 0 <= at < size:
            at = -at if at < 0 else 2 * (size - 1) - at
        return at

    for row in range(4):
        for column in range(6):
            across, down = folded(2 * 3 - column, 6), folded(2 * 0 - row, 4)  # the middle is row 0, column 3
            np.testing.assert_allclose(flipped[0, :, row, column], crop[:, row, across], atol=1e-6)
            np.testing.assert_allclose(flipped[1, :, row, column], crop[:, down, column], atol=1e-6)
            np.testing.assert_allclose(flipped[2, :, row, column], crop[:, down, across], atol=1e-6)
    whole, mask = spot.cut()
    assert whole.shape == (3, 7, 7)
    assert mask.sum() == 24
    assert torch.equal(whole[:, 3:, :6], inside(spot))
    assert torch.equal(spot.with_crop(inside(spot)), spot.pixels)


def test_grays_are_gray_and_keep_what_they_say() -> None:
    crop = torch.from_numpy(np.random.default_rng(4).random((3, 9, 9)).astype(np.float32))
    crop = 0.35 + 0.2 * crop
    for gray in (principal_gray(crop), luminance_gray(crop)):
        assert torch.equal(gray[0], gray[1])
        assert torch.equal(gray[0], gray[2])
    bright = luminance_gray(crop)
    assert bright.mean() == pytest.approx(float(crop.mean()), abs=1e-5)
    assert bright[0].var(correction=0) == pytest.approx(float(crop.var(dim=(1, 2), correction=0).mean()), rel=1e-4)
    principal = principal_gray(crop)
    assert (principal.min(), principal.max()) == (0, 1)
    assert np.corrcoef(principal[0].ravel(), crop.mean(0).ravel())[0, 1] > 0  # light stays light
    even = torch.full((3, 4, 4), 0.3)
    assert torch.allclose(principal_gray(even), even, atol=1e-6)
    assert torch.allclose(luminance_gray(even), even, atol=1e-6)
    assert opponent(np.array([0.5, 0.5, 0.5])) == pytest.approx(np.zeros(3))


def test_windows_say_what_the_whole_picture_says(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = pl.units.Unit("act", BAR)
    cut, whole = Asked(index, unit), Asked(index, unit)
    whole.windows = False
    for spot in spots(index, unit, strongest(index, unit, 12)):
        changed = torch.stack([spot.pixels.flip(2), spot.pixels])
        assert cut._window(spot) is not None
        (one, others), (other, wholes) = cut(spot, changed), whole(spot, changed)
        assert one == pytest.approx(other, rel=1e-5)
        np.testing.assert_allclose(others, wholes, rtol=1e-5, atol=1e-6)
    assert cut.windows


def test_windows_are_given_up_where_they_say_something_else(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that looks further than its layer table says is asked about whole pictures."""
    unit = pl.units.Unit("act", LIGHT)
    spot = next(iter(spots(index, unit, strongest(index, unit, 1))))
    asked = Asked(index, unit)
    monkeypatch.setattr(asked, "_window", lambda spot: ((0, 0), (12, 12), (0, 0)))
    value, _ = asked(spot, spot.pixels[None])
    assert value == pytest.approx(spot.value, rel=1e-5)
    assert not asked.windows


def test_all_units_at_once(index: Index) -> None:
    """A whole gray picture does to each unit what a gray field would: formula in float64, per unit."""
    found = measured(index, ["act", "second"], count=5)
    color = found["color_selectivity"]
    assert color.shape == (11,)
    assert np.isnan(color[SILENT])
    for unit in (RED, LIGHT, BAR, MARK):
        own, gray = [], []
        for spot in spots(index, pl.units.Unit("act", unit), strongest(index, pl.units.Unit("act", unit), 5)):
            picture = spot.pixels.double().numpy()
            own.append(slow(unit, picture, spot.place))
            gray.append(slow(unit, np.broadcast_to(np.tensordot(LUMA, picture, 1), picture.shape), spot.place))
        assert color[unit] == pytest.approx(1 - sum(gray) / sum(own), abs=1e-5)
    assert color[RED] > 0.99
    assert abs(color[BAR] - color[DOUBLE]) < 1e-6
    np.testing.assert_array_equal(found["class_selectivity"], index.class_selectivity)
    assert np.nanargmax(found["class_selectivity"][:7]) == MARK
    one = measured(index, ["second"], ("color_selectivity",), count=5)["color_selectivity"]
    np.testing.assert_allclose(one, color[7:], rtol=1e-6)
    with pytest.raises(UnknownName, match="no index of units 'hue'"):
        measured(index, ["act"], ("hue",))
