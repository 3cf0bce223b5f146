"""curvlinops 3.0, another library for the Hessian: the same products, ends and trace."""

from __future__ import annotations

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


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_products_ends_and_trace_are_the_same() -> None:
    net = plain(net_of(Everything(smooth=True)))
    curved = Curved.of(net, labeled(net, data().on(net), batch=7))
    names = dict(net.module.named_parameters())
    batches = [
        (net.preprocess.normalize(pixels).double(), labels)
        for pixels, labels in zip(curved.images.pixels, curved.images.labels, strict=True)
    ]
    other = curvlinops.HessianLinearOperator(
        net.module, nn.CrossEntropyLoss(), [names[name] for name in curved.at], batches
    )
    for seed in range(2):
        row = started(curved, seed)
        assert torch.allclose(hessian(curved)(row), (other @ row).detach(), atol=1e-11)
    assert len(flat(curved.at, curved.at)) == other.shape[0]
    ends = [float(eigsh(other.to_scipy(), k=1, which=which, tol=1e-10)[0][0]) for which in ("LA", "SA")]
    found = pl.landscape.curvature(net, data(), products=80, probes=30, tolerance=1e-9)
    values = found.values
    assert [values.max(), values.min()] == pytest.approx(ends, abs=1e-7)
    (estimate,) = (one for one in found.estimates if one.name == "trace")
    exact = float(np.trace(other.to_scipy() @ np.eye(other.shape[0])))
    assert abs(estimate.value - exact) < 2 * estimate.error, "an interval of 95 %"
