"""Mean and standard deviation in the units that a person has them in, as Preprocess has them: of pixels in 0..1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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


def per_channel(
    name: str, value: Any, value_range: Range | None = None, beside: Mapping[str, Any] | None = None
) -> tuple[float, ...]:
    """`value`, a number or one per channel, for pixels in 0..1; it is given in units of `value_range`, if there is one.

    `beside` is what else was said of mean and std. Raises PellucidError for what is in other units than it should be,
    with what would work: each scale that is named has been tried with all of them.
    """
    values = _numbers(name, value)
    if value_range is not None:
        return _converted(name, value, values, value_range)
    if max(map(abs, values)) > _MOST:
        raise PellucidError(_raw(name, value, {name: value, **(beside or {})}))
    return values


def _raw(name: str, value: Any, said: Mapping[str, Any]) -> str:
    """What to say of a value in raw units: the full scales with which it works, and all that is said beside it."""
    known = {key: one for key, one in said.items() if one is not None}
    shown = f"{name}={value!r} is in raw units of the data, pixels are in 0..1 here"
    small = next(
        (key for key, one in known.items() if max(map(abs, _numbers(key, one))) <= 1 and any(_numbers(key, one))), ""
    )
    if small:
        return (
            f"{shown}, and {small}={known[small]!r} is not: give both in the same units, with value_range= or without"
        )
    works = [
        f"value_range=(0, {white}) for {kind} data"
        for white, kind in _SCALES.items()
        if all(_fits(key, one, (0, white)) for key, one in known.items())
    ]
    call = ", ".join(f"{key}={one!r}" for key, one in known.items())
    scales = ", ".join([*works, f"value_range=(LOW, HIGH) for {'others' if works else 'its lowest and highest value'}"])
    return f"{shown}: say the full scale as well, and both are converted: load(..., {call}, {scales})"


def _fits(name: str, value: Any, value_range: Range) -> bool:
    """Whether a value can be in the units of that scale."""
    try:
        _converted(name, value, _numbers(name, value), value_range)
    except PellucidError:
        return False
    return True


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    """A number, or one per channel, as a tuple. PellucidError for anything else."""
    try:
        values = tuple(float(one) for one in (value if isinstance(value, Sequence) else [value]))
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{name}={value!r}: a number, or one per channel") from error
    if not values or not all(map(math.isfinite, values)):
        raise PellucidError(f"{name}={value!r}: a number, or one per channel")
    if name == "std" and min(values) <= 0:
        raise PellucidError(f"std={value!r}: must be above 0")
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
