"""Label randomization: the two networks, and the comparison of their maps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

import pellucid as pl
from pellucid.evaluation.explainers import Explainers
from pellucid.learning.twins import as_net, twins
from tests.test_every_method import tiny


@pytest.mark.slow
def test_guided_backpropagation_hardly_notices_that_labels_mean_nothing() -> None:
    """Adebayo et al. 2018, figure 5: maps of gradients change, those of guided backpropagation stay."""
    digits, one, other = twins(0)
    right = tuple(each.epochs[-1].train_accuracy for each in (one, other))
    assert min(right) >= 0.98
    true, random = as_net(one, "true"), as_net(other, "random")
    assert true.weights != random.weights
    found = pl.quality.label_randomization(tiny(), of="gradient,guided_backprop", digits=3)
    assert found.meta.found["accuracies"] == right
    rows = {row["method"]: row["correlation"] for row in found["ranking"].rows}
    assert rows["guided_backprop"] > 0.5 > rows["gradient"]
    assert rows["edges"] == pytest.approx(1)
    assert found.findings[0].startswith("guided_backprop: much the same map")
    (gradient,) = Explainers.of("gradient").each
    sizes = []
    for i in range(3):
        image = true.prepare(pl.Images.from_pictures([digits.inputs[i]], ["digit"]))
        label = true.top(image, 1)[0].index
        maps = [gradient.heat(net, image, pl.target.Logit(label), 0).ravel() for net in (true, random)]
        sizes.append(abs(spearmanr(*maps).statistic))
    assert rows["gradient"] == pytest.approx(np.mean(sizes))
