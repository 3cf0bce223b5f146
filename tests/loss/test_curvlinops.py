"""curvlinops 3.0, another library for the Hessian: the same products, ends and trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import eigsh
from torch import nn

import pellucid as pl
from pellucid.loss.labeled import labeled
from pellucid.loss.lanczos import flat, hessian, started
from pellucid.loss.products import Curved
from pellucid.loss.weights import plain
from tests.loss.networks import Everything, data, net_of

pytestmark = pytest.mark.slow  # it takes seconds to import
curvlinops = pytest.importorskip("curvlinops")


def other(curved: Curved) -> Any:
    """The same Hessian."""
    net, names = curved.net, dict(curved.net.module.named_parameters())
    batches = [
        (net.preprocess.normalize(pixels).double(), labels)
        for pixels, labels in zip(curved.images.pixels, curved.images.labels, strict=True)
    ]
    weights = [names[name] for name in curved.at]
    return curvlinops.HessianLinearOperator(net.module, nn.CrossEntropyLoss(), weights, batches)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_products_are_the_same() -> None:
    net = plain(net_of(Everything(smooth=True)))
    curved = Curved.of(net, labeled(net, data().on(net), batch=7))
    theirs = other(curved)
    assert len(flat(curved.at, curved.at)) == theirs.shape[0]
    for seed in range(2):
        row = started(curved, seed)
        assert torch.allclose(hessian(curved)(row), (theirs @ row).detach(), atol=1e-11)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_ends_and_trace_are_the_same() -> None:
    net = net_of(nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.Softplus(), nn.Flatten(), nn.Linear(45, 3)))
    theirs = other(Curved.of(net, labeled(net, data().on(net)))).to_scipy()
    ends = [float(eigsh(theirs, k=1, which=which, tol=1e-10)[0][0]) for which in ("LA", "SA")]
    found = pl.landscape.curvature(net, data(), products=80, probes=30, tolerance=1e-9)
    assert [found.values.max(), found.values.min()] == pytest.approx(ends, abs=1e-7)
    (estimate,) = (one for one in found.estimates if one.name == "trace")
    exact = float(np.trace(theirs @ np.eye(theirs.shape[0])))
    assert abs(estimate.value - exact) < 2 * estimate.error, "an interval of 95 %"
