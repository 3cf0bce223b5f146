"""Deletion on networks of known truth."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from tests.evaluation.networks import photos, weighted


def test_curves_begin_at_the_image_and_end_at_the_fill() -> None:
    net = weighted()
    found = pl.quality.deletion(net, photos(2), of="gradient", fill="black", steps=4)
    ends = np.array([line.values[[0, -1]] for line in found["curves"].lines])
    assert np.allclose(ends, ends[0])
    assert ends[0, 1] == pytest.approx(0.5)
    assert found.meta.found["protocol"] == "deletion:fill=black,steps=4,score=probability"


def test_neighbors_stand_in_the_protocol_and_end_at_the_mean_color() -> None:
    net, images = weighted(), photos(2)
    found = pl.quality.deletion(net, images, of="gradient", fill="neighbors", steps=4, score="logit")
    assert found.meta.found["protocol"] == "deletion:fill=neighbors,steps=4,score=logit"
    weights = net.module.weights.detach().numpy()
    means = [(weights * image.mean((0, 1))[:, None, None]).sum() for image in images]
    for line in found["curves"].lines:
        assert line.values[-1] == pytest.approx(np.mean(means)), line.name
