"""Layers with a meaning: concepts that can be corrected, and whitened axes."""

from __future__ import annotations

import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.interpretable import Bottleneck, ConceptWhitening, one_hot
from pellucid.learning.networks import seeded


def test_classes_see_concepts_alone_and_corrections_replace_them() -> None:
    head = seeded(lambda: Bottleneck(6, (2, 3), 4), 0)
    x = torch.rand(5, 6)
    concepts = head.concepts(x)
    assert torch.allclose(concepts[:, :2].sum(1), torch.ones(5))
    assert torch.allclose(concepts[:, 2:].sum(1), torch.ones(5))
    assert torch.equal(head(x), head.to_classes(concepts))
    true = one_hot(torch.tensor([[1, 2]] * 5), (2, 3))
    assert true[0].tolist() == [0, 1, 0, 0, 1]
    chosen = torch.tensor([[False, True]] * 5)
    found = head.corrected(concepts, true, chosen)
    assert torch.equal(found[:, :2], concepts[:, :2])
    assert torch.equal(found[:, 2:], true[:, 2:])
    with pytest.raises(PellucidError, match="one for each of 2 concepts"):
        head.corrected(concepts, true, torch.ones(5, 3, dtype=torch.bool))


def test_whitened_channels_have_mean_0_and_covariance_1_and_axes_are_concepts() -> None:
    chance = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=chance, dtype=torch.float64)
    sources = torch.randn(400, 6, generator=chance, dtype=torch.float64)
    concepts = [sources[:, k] > 1 for k in (4, 1)]
    x = sources @ mixing + 3
    layer = ConceptWhitening(6).fit(x, damping=0).align([x[one] for one in concepts])
    found = layer(x)
    assert found.mean(0).abs().max() < 1e-10
    assert torch.allclose(found.T @ found / 400, torch.eye(6, dtype=torch.float64), atol=1e-8)
    assert torch.allclose(layer.turn @ layer.turn.T, torch.eye(6, dtype=torch.float64), atol=1e-10)
    for k, one in enumerate(concepts):
        means = found[one].mean(0)
        assert int(means.abs().argmax()) == k
        assert means[k] > 1
    maps = x[:8].T.reshape(1, 6, 2, 4)
    assert torch.allclose(layer(maps).reshape(6, 8).T, found[:8])
    with pytest.raises(PellucidError, match="an axis for each"):
        layer.align([x] * 7)
