"""Because: shares of phrases, added up by hand, and what no phrase holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import Refused
from pellucid.images.concepts import Concepts
from pellucid.index.detectors import Detectors
from pellucid.index.exceeded import exceeded
from tests.methods.units.marked import marked
from tests.test_every_method import indexed, photos, tiny


def test_shares_are_attribution_of_the_active_detectors_and_add_up_to_the_score() -> None:
    net = tiny()
    index, images, points, least = indexed(net), photos(3), 4, 0.001
    found = pl.captions.because(
        index, images, "dog", concepts=marked(), layer="block", count=2, min_iou=least, points=points
    )
    report = pl.units.dissection(index, concepts=marked(), layers=["block"], share=0.005)
    concept = {str(row["unit"]): row for row in report.tables["units"].rows}
    (ends,) = exceeded(index, ["block"], 0.005)
    table = found.tables["shares"]
    for i, image in enumerate(net.prepare(images)):
        pixels = image.pixels.double()
        whole = net.run(pixels, layers=["block"])["block"].detach()
        slope = torch.zeros_like(whole)
        for k in range(points):
            scale = (k + 0.5) / points
            run = net.run(pixels, layers=["block"], edit={"block": lambda out, scale=scale: out * scale}, grad=True)
            slope += run.gradients(run.output[0, 1], run["block"])[0] / points
        product = (whole * slope)[0].numpy()
        by_hand: dict[str, np.ndarray] = {}
        for unit in range(product.shape[0]):
            row = concept[f"block:{unit}"]
            if float(row["overlap"] or 0) > least and float(whole[0, unit].max()) >= ends[unit] * (1 - 1e-6):
                name = str(row["concept"])
                by_hand[name] = by_hand.get(name, 0) + product[unit]
        wanted = sorted(((float(map_.sum()), name) for name, map_ in by_hand.items() if map_.sum() > 0), reverse=True)[
            :2
        ]
        said = [part.partition(",")[0] for part in found.parts[i] if part]
        assert said == [name for _, name in wanted]
        for k, (share, name) in enumerate(wanted):
            assert np.isclose(found.scores[i, k], share, atol=1e-9)
            assert np.allclose(found.values[i, k, 0], by_hand[name], atol=1e-9)
        score = float(net.run(pixels).output[0, 1])
        assert np.isclose(found.rest[i] + np.nansum(found.scores[i]), score, atol=1e-9)
        row = table.rows[i]
        parts = ("phrases", "other concepts", "no concept", "empty layer")
        assert np.isclose(sum(float(row[name] or 0) for name in parts), score, atol=1e-9)
    assert any(found.count(i) for i in range(3)), "no phrase was tested"


def test_without_detectors_it_says_so() -> None:
    index = indexed(tiny())
    found = pl.captions.because(index, photos(1), "dog", concepts=marked(), layer="block", min_iou=0.99, points=2)
    assert found.sentences == ("dog: no concept that the units of this layer detect speaks for it",)
    assert np.isnan(found.scores).all()
    assert not found.values.any()
    assert found.rest[0] == pytest.approx(found.meta.score[0])


def test_a_layer_without_places_is_refused() -> None:
    with pytest.raises(Refused, match="no places"):
        pl.captions.because(indexed(tiny()), photos(1), "dog", concepts=Concepts.of(marked()), layer="head")


def test_by_default_a_detector_overlaps_more_than_chance_does() -> None:
    index = indexed(tiny())
    found = Detectors.of(index, Concepts.of(marked()), ["block"], 0.005, 1)
    worst = sorted(found.seen.chance.overlap(found.category).max(1))
    assert found.limit(20, 0.0) == pytest.approx(np.quantile(worst, 0.95))
    assert found.limit(20, 0.9) == 0.9
