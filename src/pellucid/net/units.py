"""Mean and standard deviation in the units that a person has them in, as Preprocess has them: of pixels in 0..1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pellucid.errors import PellucidError
from pellucid.images.arrays import Range
from pellucid.net.preprocess import Preprocess

_MOST = 4
"""No mean or deviation of pixels in 0..1 is so far out; 123.675 is."""
_RAW = 100
"""From such a full scale on, a mean and a deviation of at most 1 in its units would be almost nothing."""
_SCALES = {255: "8-bit", 65535: "16-bit"}


def per_channel(name: str, value: Any, value_range: Range | None = None) -> tuple[float, ...]:
    """`value`, a number or one per channel, for pixels in 0..1; it is given in units of `value_range`, if there is one.

    Raises PellucidError for what is in other units than it should be, with what would work.
    """
    try:
        values = tuple(float(one) for one in (value if isinstance(value, Sequence) else [value]))
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{name}={value!r}: a number, or one per channel") from error
    if not values or not all(map(math.isfinite, values)):
        raise PellucidError(f"{name}={value!r}: a number, or one per channel")
    if name == "std" and min(values) <= 0:
        raise PellucidError(f"std={value!r}: must be above 0")
    if value_range is not None:
        return _converted(name, value, values, value_range)
    most = max(map(abs, values))
    if most > _MOST:
        scales = [f"value_range=(0, {white}) for {kind} data" for white, kind in _SCALES.items() if most <= white]
        shown = ", ".join([*scales, "value_range=(LOW, HIGH) for others"])
        raise PellucidError(
            f"{name}={value!r} is in raw units of the data, pixels are in 0..1 here: say the full scale as well, and "
            f"both are converted: load(..., {name}={value!r}, {shown})"
        )
    return values


def on_scale(known: Preprocess, value_range: Range | None) -> Preprocess:
    """The same preprocessing with another full scale; what was said in the units of its own is the same still."""
    if value_range is None or known.value_range in (None, value_range):
        return replace(known, value_range=value_range or known.value_range)
    (low, high), (black, white) = known.value_range, value_range
    factor, shift = (high - low) / (white - black), (low - black) / (white - black)
    return replace(
        known,
        value_range=value_range,
        mean=tuple(one * factor + shift for one in known.mean),
        std=tuple(one * factor for one in known.std),
    )


def _converted(name: str, value: Any, values: tuple[float, ...], value_range: Range) -> tuple[float, ...]:
    low, high = value_range
    scale = high - low
    if scale >= _RAW and max(map(abs, values)) <= 1 and any(values):
        meant = tuple(round(low * (name == "mean") + one * scale, 6) for one in values)
        raise PellucidError(
            f"{name}={value!r} is next to nothing on a scale of {low:g} to {high:g}, whose units it is in with "
            f"value_range=: if it is a share of that scale, say {name}={meant if len(meant) > 1 else meant[0]}"
        )
    if name == "std":
        if max(values) > scale:
            raise PellucidError(f"std={value!r} is wider than value_range, {low:g} to {high:g}")
        return tuple(one / scale for one in values)
    if min(values) < low or max(values) > high:
        raise PellucidError(f"mean={value!r} lies outside value_range, {low:g} to {high:g}")
    return tuple((one - low) / scale for one in values)
