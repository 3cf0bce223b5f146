"""Maps of single pixels, smoothed to be seen over a photo: numbers of a drawing, never of a result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from pellucid.draw.colors import viewed
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
    view = "magnitude" if _sizes(heat, look) else look.view_of(heat)
    values = viewed(heat.values[0], view)
    known, sigmas = np.isfinite(values), [sigma / jump for jump in heat.placement.jump]
    how: Any = {"mode": "constant", "radius": [max(round(_REACH * one), 1) for one in sigmas]}
    # Divided by the weight of what is there: past the edge is nothing, and numbers that are not finite have none.
    weight = gaussian_filter(known.astype(np.float64), sigmas, **how)
    total = gaussian_filter(np.where(known, values, 0.0), sigmas, **how)
    values = np.where(known, total / np.maximum(weight, np.finfo(np.float64).tiny), values)
    values = -values if view == "negative" else values
    return replace(heat, values=values[None], signed=heat.signed and view != "magnitude", error=None)


def _sizes(heat: Heatmap, look: Look) -> bool:
    """Whether the mean is of sizes, where nobody has chosen what is shown."""
    return look.view is None and heat.signed and heat.sign in ("slope", "ruled")


def said(heat: Heatmap, look: Look) -> str:
    """What was done to a map over a photo, in words."""
    what = "mean size around each pixel" if _sizes(heat, look) else "mean around each pixel"
    return f"{what}, Gaussian of σ {number(sigma_of(heat, look))} pixels"
