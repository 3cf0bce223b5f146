"""Curvature: the eigenvalues of the Hessian of the loss, at the weights of a network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from scipy.stats import t as student
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.density import Traced, density, signs, trace
from pellucid.loss.ground import Ground
from pellucid.loss.lanczos import Product, flat, hessian, honest, lanczos, started
from pellucid.loss.products import Curved
from pellucid.loss.weights import norm
from pellucid.net import Net
from pellucid.notes import Note, say
from pellucid.result import Estimate, Meta, Spectrum
from pellucid.result.meta import Found
from pellucid.rng import Seed, generator

_SURE = 0.98
"""Level of the interval of a trace, by Student's t: its estimates share products, so that 0.95 would be too sure."""


@method(
    "Curvature",
    purpose="measure the largest and smallest curvatures of the loss",
    shows=(
        "A smallest eigenvalue that is negative by more than its residual says that the network is at no minimum of "
        "these images. The largest depends on the scale of the weights and on the learning rate of the training, and "
        "does not foretell accuracy on other images; an end that has not converged may lie farther out. Up to 30 "
        "products with the Hessian, and 128 for trace and density, each of which takes as long as two to three "
        "gradients over the images."
    ),
    source="Pearlmutter 1994, equation 3; Ghorbani et al. 2019, section 2 and algorithm 1",
    over="all",
    quick={"products": 8, "probes": 2},
)
def curvature(
    net: Net,
    data: Data,
    *,
    products: Annotated[
        int, Field(ge=3, description="number of products with the Hessian, at most, for the largest and smallest")
    ] = 30,
    tolerance: Annotated[
        float,
        Field(gt=0, le=1, description="residual at which an eigenvalue counts as found, as a share of it"),
    ] = 1e-3,
    probes: Annotated[
        int,
        Field(ge=0, description="number of random probes for trace and density, each of several products; 0 for none"),
    ] = 4,
    layers: Annotated[
        tuple[str, ...],
        Field(description="parameters that count, by the beginnings of their names"),
        Default("all of them"),
    ] = (),
    seed: Seed = 0,
) -> Spectrum:
    """Ritz values (K,) of the Hessian, each within its residual of an eigenvalue; trace and density with their errors.

    The loss is the mean cross entropy (nats) over the data, with batch norms as they are stored and dropout off.
    Products are exact, by differentiating twice: differences would meet the kinks of rectifiers. The largest and the
    smallest eigenvalue are found when their residuals are within the tolerance; each value says whether it is.
    """
    if probes == 1:
        raise PellucidError("probes=1: one probe says nothing of its error: 0 for none, or 2 at least")
    ground = Ground.of(net, data, None, "frozen")
    names = _chosen(net, tuple(ground.weights), layers)
    curved = Curved.of(ground.net, ground.sets[0], names)
    product, size = hessian(curved), sum(one.numel() for one in curved.at.values())
    ritz = lanczos(product, started(curved, seed), products, tolerance, (0, -1))
    converged = tuple(ritz.converged(j, tolerance) for j in range(len(ritz.values)))
    loss = float(ground.sets[0].losses.mean())
    estimates = [Estimate("loss", loss), Estimate("gradient norm", norm(curved.gradient()))]
    nodes, weights = ritz.values, ritz.weights
    if probes:
        generators = [generator(seed, "probe", i) for i in range(probes)]
        rows = signs(probes, size, generators, flat(curved.at, curved.at).device)
        nodes, weights, _ = density(product, rows, min(products, size))
        estimates.append(_trace(product, rows, probes))
    residuals = honest(ritz, curved).residuals
    findings = _said(net.name, ritz.values, residuals, converged, loss, estimates)
    found: dict[str, Found] = {"norms": "frozen", "products": len(ritz.values), "count": len(ground.sets[0])}
    return Spectrum(
        ritz.values, residuals, converged, nodes, weights, size, tuple(estimates), findings, meta=Meta(found=found)
    )


def _chosen(net: Net, names: tuple[str, ...], layers: tuple[str, ...]) -> list[str]:
    for one in layers:
        if not any(name == one or name.startswith(f"{one}.") for name in names):
            raise PellucidError(f"layers={one!r}: no parameter of {net.name} begins so; such as {names[0]!r}")
    return [name for name in names if not layers or any(name == one or name.startswith(f"{one}.") for one in layers)]


def _trace(product: Product, rows: Tensor, probes: int) -> Estimate:
    found: Traced = trace(product, rows)
    return Estimate("trace", found.value, found.error * float(student.ppf((1 + _SURE) / 2, probes - 1)))


def _said(
    name: str, values: Floats, residuals: Floats, converged: tuple[bool, ...], loss: float, estimates: list[Estimate]
) -> tuple[str, ...]:
    """The ends of the spectrum, and what that says."""
    ends = [
        f"{said} {values[k]:.4g} ± {residuals[k]:.2g}{'' if converged[k] else ' (not converged)'}"
        for said, k in (("the largest eigenvalue is", 0), ("the smallest is", -1))
    ]
    found = [f"{', '.join(ends)}, at a loss of {loss:.3g} nats ({name})"]
    if values[-1] < -residuals[-1]:
        ratio = abs(values[-1] / values[0])
        found.append(f"the loss bends downwards somewhere: |λmin / λmax| = {ratio:.2g}, so this is no minimum")
    found += [f"{one.name} {one.value:.4g} ± {one.error:.2g}" for one in estimates if one.error]
    if not all((converged[0], converged[-1])):
        say(Note("sampling", "an end of the spectrum has not converged: it is sure that an eigenvalue lies within the "
                 "residual, and the end itself may lie farther out; more products= settle it"))  # fmt: skip
    return tuple(found)
