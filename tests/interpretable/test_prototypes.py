"""Prototypes: distances and similarities by hand, the push onto real cells, points that sum to the logit."""

from __future__ import annotations

import math

import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.interpretable import Prototypes, push
from pellucid.interpretable.prototypes import MOST, coverage, last_layer_l1, similarity, squared
from pellucid.learning.networks import seeded


def made() -> tuple[Prototypes, torch.Tensor, torch.Tensor]:
    head = seeded(lambda: Prototypes(5, 3, each=2, width=4), 0)
    return head, torch.rand(9, 5, 3, 4, generator=torch.Generator().manual_seed(1)), torch.arange(9) % 3


@torch.no_grad()
def test_distances_and_losses_by_hand() -> None:
    head, maps, labels = made()
    cells, found = head.adapt(maps), head.distances(maps)
    for i, p, y, x in ((0, 0, 0, 0), (4, 3, 2, 1), (8, 5, 1, 3)):
        assert found[i, p, y, x] == pytest.approx(float((cells[i, :, y, x] - head.prototypes[p]).square().sum()))
    cluster, separation = head.losses(maps, labels)
    nearest = found.flatten(2).amin(2).tolist()
    own = [min(row[2 * int(k) : 2 * int(k) + 2]) for row, k in zip(nearest, labels, strict=True)]
    far = [min(row[: 2 * int(k)] + row[2 * int(k) + 2 :]) for row, k in zip(nearest, labels, strict=True)]
    assert cluster.item() == pytest.approx(sum(own) / 9)
    assert separation.item() == pytest.approx(sum(far) / 9)
    assert last_layer_l1(head).item() == pytest.approx(0.5 * 12)


def test_after_the_push_each_is_a_cell_of_its_class_and_the_nearest() -> None:
    head, maps, labels = made()
    before, cells = head.prototypes.detach().clone(), head.adapt(maps).detach()
    found = push(head, maps, labels, batch=2)
    for p in range(6):
        cell = cells[found.images[p], :, found.rows[p], found.columns[p]]
        assert torch.allclose(head.prototypes[p], cell, atol=1e-6)
        assert labels[found.images[p]] == head.owners[p] == p // 2
        least = squared(cells[labels == p // 2], before[p][None]).min().sqrt()
        assert found.moved[p] == pytest.approx(float(least), abs=1e-6)
    assert found.distinct <= 6
    own = similarity(head.distances(maps)).flatten(2).amax(2)
    assert (own.amax(0) > MOST - 0.01).all()
    with pytest.raises(PellucidError, match="no training image of class 2"):
        push(head, maps[labels < 2], labels[labels < 2])


def test_similarity_ends_at_ln_ten_thousand_and_points_sum_to_the_logit() -> None:
    assert (
        similarity(torch.zeros(1)).item() == pytest.approx(math.log(1e4), abs=1e-5) == pytest.approx(9.2103, abs=1e-4)
    )
    head, maps, _ = made()
    points = coverage(head, maps)[:, None] * head.points.weight
    assert torch.allclose(points.sum(2), head(maps), atol=1e-5)
