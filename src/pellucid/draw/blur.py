"""Maps of single pixels, smoothed to be seen over a photo: numbers of a drawing, never of a result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.draw.colors import Floats, viewed
from pellucid.draw.letters import number
from pellucid.draw.look import Look, fine
from pellucid.result import Heatmap

_SHARE = 1 / 28  # of the input's shorter side: σ where nobody says otherwise
_GRAINY = 0.5
_REACH = 3.0  # σ from where a Gaussian counts as zero


def grainy(heat: Heatmap) -> bool:
    """Whether neighbors differ about as much as any two pixels do: masks and superpixels are fine, and not grainy."""
    if not fine(heat.placement):
        return False
    values = np.nan_to_num(np.asarray(heat.values[0], np.float64), posinf=0.0, neginf=0.0)
    apart = (np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean()) / 2
    return bool(apart > _GRAINY * np.abs(values - np.median(values)).mean())


def sigma_of(heat: Heatmap, look: Look) -> float:
    """In pixels of the network's input."""
    return float(look.sigma) if look.sigma is not None else round(min(heat.views[0].size) * _SHARE, 1)


def smoothed(heat: Heatmap, look: Look) -> Heatmap:
    """A map (N = 1) as the mean around each pixel, weighted by a Gaussian; of slopes and of changed gradients the mean
    of their sizes, as their signs take turns from pixel to pixel and would cancel.
    """
    sigma = sigma_of(heat, look)
    if not sigma:
        return heat
    view = look.view_of(heat)
    if view == "signed" and look.view is None and heat.sign in ("slope", "ruled"):
        view = "magnitude"
    values = viewed(heat.values[0], view)
    for axis, jump in enumerate(heat.placement.jump):
        values = _along(values, sigma / jump, axis)
    values = -values if view == "negative" else values
    return replace(heat, values=values[None], signed=heat.signed and view != "magnitude", error=None)


def said(heat: Heatmap, look: Look) -> str:
    """What was done to a map over a photo, in words."""
    sizes = look.view is None and heat.signed and heat.sign in ("slope", "ruled")
    what = "mean size around each pixel" if sizes else "mean around each pixel"
    return f"{what}, Gaussian of σ {number(sigma_of(heat, look))} pixels"


def _along(values: Floats, sigma: float, axis: int) -> Floats:
    """The Gaussian mean along one axis, of what is there: numbers that are not finite have no weight."""
    reach = min(max(round(_REACH * sigma), 1), values.shape[axis] - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    known = np.isfinite(values)
    total, weight = np.zeros(values.shape), np.zeros(values.shape)
    filled = np.where(known, values, 0.0)
    for shift, share in zip(range(-reach, reach + 1), weights, strict=True):
        there = _from(values.shape[axis], shift, axis, values.ndim)
        here = _from(values.shape[axis], -shift, axis, values.ndim)
        total[here] += share * filled[there]
        weight[here] += share * known[there]
    return np.where(known, np.divide(total, weight, out=np.zeros_like(total), where=weight > 0), values)


def _from(length: int, shift: int, axis: int, axes: int) -> tuple[slice, ...]:
    """All of an axis but the end that a shift moves over the edge."""
    part = slice(max(shift, 0), length + min(shift, 0))
    return tuple(part if k == axis else slice(None) for k in range(axes))
