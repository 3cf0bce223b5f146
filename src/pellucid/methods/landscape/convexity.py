"""Convexity: the most negative curvature of the loss beside the largest, at every place of a plane."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.directions import Direction
from pellucid.loss.grids import Mapped, mapped
from pellucid.loss.ground import Ground
from pellucid.loss.lanczos import NotFinite, Ritz, hessian, honest, lanczos, started
from pellucid.loss.options import DirectionChoice, Extent, ExtentOption
from pellucid.loss.products import Curved, in_double
from pellucid.loss.said import failed
from pellucid.loss.weights import Moved, cosine, norm
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.notes import Note, say
from pellucid.result import Axis, Check, Meta, Surface
from pellucid.resume import Coordinates
from pellucid.rng import Seed

MEASURES = ("|λmin/λmax|", "λmax", "λmin")
_AGREE = 1e-3
"""Share of λmax by which residuals in float32 and in float64 may differ: of a deep network products do by 2e-4."""


@method(
    "Convexity over a plane",
    purpose="map how far from convex the loss is at every place of a plane",
    shows=(
        "A ratio |λmin/λmax| near 0 says that the loss hardly bends downwards there. A loss surface cannot show that, "
        "because a random plane averages over curvatures. λmin has often not converged and may lie beyond its "
        "residual; the findings say at how many places. λmax also depends on the learning rate of the training. At "
        "each of 49 places up to 12 products with the Hessian, each of which takes as long as two to three gradients "
        "over the images."
    ),
    source="Li et al. 2018, section 6 and figure 7 (visualizing the loss landscape); Lanczos 1950",
    over="all",
    resumable=True,
    quick={"points": 3, "products": 4},
)
def convexity(
    nets: Nets,
    data: Data,
    *,
    points: ExtentOption = Extent(7),  # noqa: B008  # frozen
    direction: DirectionChoice = Direction(),  # noqa: B008  # frozen
    products: Annotated[
        int, Field(ge=3, description="number of products with the Hessian at each place, at most, for both eigenvalues")
    ] = 12,
    tolerance: Annotated[
        float, Field(gt=0, le=1, description="residual at which an eigenvalue counts as found, as a share of it")
    ] = 0.01,
    seed: Seed = 0,
) -> Surface:
    """|λmin/λmax|, λmax and λmin (nats per squared weight) at places of a plane: values (N, 3, points, points).

    The eigenvalues are the ends of the Hessian of the mean cross entropy over all weights with more than one axis, with
    batch norms as they are stored; directions and scale are those of `plane`, with the same seed the same plane. Close
    to 0 the loss is as good as convex there. A surface that looks convex proves nothing: the curvature that a random
    plane shows is a mean of the curvatures along all axes of the Hessian, in which a few negative ones drown.

    `errors` are residuals: within each of a value there is an eigenvalue, and what that means for the ratio. Values lie
    inside the spectrum: the true λmax is no less and the true λmin no more. Places where a residual is beyond the
    tolerance are counted in the findings. Where the loss overflows the values are NaN.
    """
    if direction.kind == "networks":
        raise PellucidError("direction='networks' is for `plane`: here axes lead away from each network by itself")
    grids: list[Mapped] = []
    checks, findings, cosines, lengths = [], [], [], []
    for net in nets:
        ground = Ground.of(net, data, None, "frozen")
        directions = ground.directions(direction, seed, 2)
        moved = Moved(ground.net, list(directions))
        at = ground.kept(directions, _Ends(ground, moved, products, tolerance, seed), "ends", products, tolerance, seed)
        axis = np.linspace(-points.reach, points.reach, points.points)
        grids.append(mapped(at, axis, axis, points.refine, f"places of {net.name}"))
        findings += _said(net.name, grids[-1], at((0.0, 0.0))[0], tolerance)
        checks.append(_checked(ground, products, tolerance, seed))
        cosines.append(cosine(*directions))
        lengths.append((norm(directions[0]), norm(directions[1])))
    failed(check for some in checks for check in some)
    found = np.stack([np.moveaxis(one.found[..., 0, :], -1, 0) for one in grids])
    axes = tuple(
        Axis(f"{name} ({direction.kind} {k + 1})", places, direction.unit, lengths[0][k])
        for k, (name, places) in enumerate((("α", grids[0].x), ("β", grids[0].y)))
    )
    meta = Meta(found={"norms": ground.said("frozen"), "cosine": tuple(cosines), "count": len(ground.sets[0])})
    known = np.stack([one.known for one in grids])
    return Surface(found[:, ::2], found[:, 1::2], known, nets.names, MEASURES, (axes[0], axes[1]), (), tuple(checks),
                   tuple(findings), meta)  # fmt: skip


class _Ends:
    """(1, 6): the ratio, λmax and λmin at a place, each with its residual."""

    def __init__(self, ground: Ground, moved: Moved, products: int, tolerance: float, seed: int) -> None:
        self.ground, self.moved = ground, moved
        self.how = (products, tolerance, seed)

    def __call__(self, at: Coordinates) -> Floats:
        try:
            _, ritz = _extremes(self.moved.to(at), self.ground, *self.how)
        except NotFinite:
            return np.full((1, 6), np.nan)
        (high, low), (above, below) = ritz.values[[0, -1]], ritz.residuals[[0, -1]]
        ratio = abs(low / high) if high else np.nan
        slack = (below + ratio * above) / abs(high) if high else np.nan
        return np.array([[ratio, slack, high, above, low, below]])


def _extremes(net: Net, ground: Ground, products: int, tolerance: float, seed: int) -> tuple[Curved, Ritz]:
    names = [name for name, one in ground.weights.items() if one.dim() > 1]
    if not names:
        raise PellucidError(f"{ground.net.name} has no weights of more than one axis: there is nothing to curve")
    curved = Curved.of(net, ground.sets[0], names)
    ritz = lanczos(hessian(curved), started(curved, seed), products, tolerance, (0, -1))
    return curved, honest(ritz, curved)


def _checked(ground: Ground, products: int, tolerance: float, seed: int) -> tuple[Check, ...]:
    """The residuals at the center, once more: ‖Hv − λv‖ in float64."""
    try:
        curved, ritz = _extremes(ground.net, ground, products, tolerance, seed)
    except NotFinite:
        return ()
    wide = Curved.of(in_double(ground.net), ground.sets[0].doubled(), list(curved.at))
    found, product = [], hessian(wide)
    for name, k in (("λmax", 0), ("λmin", -1)):
        vector, residual = ritz.vector(k), float(ritz.residuals[k])
        truly = float((product(vector) - ritz.values[k] * vector).norm())
        said = "what Lanczos says of an eigenvalue at the center, and ‖Hv − λv‖ in float64"
        found.append(Check(f"residual of {name}", truly, residual, _AGREE * abs(float(ritz.values[0])), said))
    return tuple(found)


def _said(name: str, grid: Mapped, center: Floats, tolerance: float) -> list[str]:
    """A sentence: the center, the place that is least convex, how many bend downwards, and how many are not settled."""
    found = grid.found[..., 0, :][grid.known]
    if not np.isfinite(center[0]):
        return [f"the loss of {name} overflows at its center: nothing is known of its curvature"]
    places = np.argwhere(grid.known)[np.nanargmax(found[:, 0])]
    x, y = float(grid.x[places[1]]), float(grid.y[places[0]])
    ratio, slack, high, above, low, below = center
    down = int((found[:, 4] < -found[:, 5]).sum())
    ends = {"λmax": found[:, 2:4].T, "λmin": found[:, 4:6].T}
    open_ends = {end: int((error > tolerance * np.abs(value)).sum()) for end, (value, error) in ends.items()}
    unsettled = [f"{end} at {count} of {len(found)} places" for end, count in open_ends.items() if count]
    told = (
        f"|λmin/λmax| of {name} is {ratio:.2g} ± {slack:.2g} at the center (λmax {high:.4g} ± {above:.2g}, "
        f"λmin {low:.3g} ± {below:.2g}), {np.nanmax(found[:, 0]):.2g} at most, at ({x:+.3g}, {y:+.3g}); "
        f"at {down} of {len(found)} places the loss surely bends downwards somewhere"
    )
    if not unsettled:
        return [told]
    say(Note("sampling", "of an end that has not converged it is sure that an eigenvalue lies within the residual; the "
             "end itself may lie farther out: more products= settle it"))  # fmt: skip
    return [f"{told}; not converged: {', '.join(unsettled)}"]
