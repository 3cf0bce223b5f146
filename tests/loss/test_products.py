"""Gradients, Hessian products and Lanczos, against the dense Hessian of small networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.loss.labeled import LabeledBatches, labeled
from pellucid.loss.lanczos import flat, hessian, lanczos, shaped, started
from pellucid.loss.products import Curved
from pellucid.loss.weights import dot, weights_of
from tests.loss.networks import Everything, data, net_of


def dense(curved: Curved) -> torch.Tensor:
    """(P, P) the Hessian, by autograd of the plain module over all images at once."""
    net, images = curved.net, curved.images
    pixels = net.preprocess.normalize(torch.cat(images.pixels).double())
    labels = torch.cat(images.labels)

    def loss(row: torch.Tensor) -> torch.Tensor:
        scores = torch.func.functional_call(net.module, shaped(row, curved.at), (pixels,))
        return nn.functional.cross_entropy(scores, labels)

    return torch.autograd.functional.hessian(loss, flat(curved.at, curved.at))


@pytest.fixture(scope="module")
def curved() -> Curved:
    module = nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5), nn.Softplus(), nn.Flatten(), nn.Linear(45, 3)
    )
    net = net_of(module)
    return Curved.of(net, labeled(net, data().on(net), batch=7))


@pytest.fixture(scope="module")
def whole(curved: Curved) -> torch.Tensor:
    return dense(curved)


def test_products_are_those_of_the_dense_hessian(curved: Curved, whole: torch.Tensor) -> None:
    for seed in range(3):
        row = started(curved, seed)
        assert torch.allclose(hessian(curved)(row), whole @ row, atol=1e-12)
    gradient = curved.gradient()
    step = 1e-6
    direction = shaped(started(curved, 9), curved.at)
    ends = []
    for sign in (-1, 1):
        moved = {key: one + sign * step * direction[key] for key, one in curved.at.items()}
        run = curved.net.with_weights(moved).run(torch.cat(curved.images.pixels).double())
        ends.append(float(nn.functional.cross_entropy(run.output, torch.cat(curved.images.labels))))
    assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(dot(direction, gradient), rel=1e-6)


def test_lanczos_finds_both_ends_and_its_residuals_bound_the_error(curved: Curved, whole: torch.Tensor) -> None:
    truth = torch.linalg.eigvalsh(whole).numpy()
    found = lanczos(hessian(curved), started(curved, 0), 60, 1e-10, (0, -1))
    assert found.values[0] == pytest.approx(truth[-1], abs=1e-8)
    assert found.values[-1] == pytest.approx(truth[0], abs=1e-8)
    vector = found.vector(0)
    assert float((whole @ vector - found.values[0] * vector).norm()) < 1e-6
    few = lanczos(hessian(curved), started(curved, 0), 6)
    for value, residual in zip(few.values, few.residuals, strict=True):
        assert np.abs(truth - value).min() <= residual + 1e-10, "a Ritz value lies within its residual of an eigenvalue"
    assert few.residuals[-1] > 1e-3, "what has not converged says so"


@pytest.mark.slow
def test_rectifiers_skips_and_dropout_are_no_obstacle() -> None:
    net = net_of(Everything())
    from pellucid.loss.weights import plain

    net = plain(net)
    curved = Curved.of(net, labeled(net, data(6).on(net)), ["stem.weight", "head.weight"])
    whole = dense(curved)
    row = started(curved, 1)
    assert torch.allclose(hessian(curved)(row), whole @ row, atol=1e-12)


def test_softmax_regression_has_the_hessian_of_the_textbook() -> None:
    net = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3, bias=False)))
    images: LabeledBatches = labeled(net, data(9).on(net))
    curved = Curved.of(net, images)
    x = net.preprocess.normalize(torch.cat(images.pixels).double()).flatten(1)
    p = (x @ weights_of(net)["1.weight"].T).softmax(1)
    wanted = sum(
        torch.kron(torch.diag(pi) - torch.outer(pi, pi), torch.outer(xi, xi)) for pi, xi in zip(p, x, strict=True)
    ) / len(x)
    row = started(curved, 0)
    assert torch.allclose(hessian(curved)(row), wanted @ row, atol=1e-12)
