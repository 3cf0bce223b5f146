"""A plan as it lies in somebody's folder: every value is of its kind and of a size that can be, or one line says so.

An index may come from anybody. Its numbers are read, and nothing in it decides what code is run or which place is asked
over a network: the plan names a network and images, and who reads the index says whether those are meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.images.remote import is_url
from pellucid.net import Preprocess
from pellucid.plugins import IMAGES
from pellucid.settings import names_code
from pellucid.sweep._disk import BadStore
from pellucid.sweep.plan import FORMAT, Plan

_UNITS, _IMAGES, _TEXT, _PIXELS = 10**7, 2**32, 4096, 10**8
_PLAIN = {"spec", "size", "mean", "std", "interpolation", "channels", "output", "scores", "value_range"}
"""Arguments of `load` that are numbers and words, and open nothing."""


def checked(said: Any, folder: str) -> Plan:
    """The plan that is said. Raises BadStore where it cannot be one, or is of another version."""
    if not isinstance(said, Mapping) or "format" not in said:
        raise BadStore(f"{folder!r} was begun by another version of Pellucid: it has no plan")
    if said["format"] != FORMAT:
        theirs = said["format"] if isinstance(said["format"], int) else "?"
        raise BadStore(
            f"{folder!r} was begun by another version of Pellucid (format {theirs}, here it is {FORMAT}): make it anew"
        )
    try:
        _check(said)
        plan = Plan.from_dict(said)
        _fits(plan)
    except PellucidError as error:
        raise BadStore(f"{folder!r} has a plan that cannot be: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError, RecursionError) as error:
        why = str(error)[:200] if isinstance(error, ValueError) else f"{type(error).__name__}: {str(error)[:100]}"
        raise BadStore(f"{folder!r} has a plan that cannot be: {why}") from error
    return plan


def runs_code(said: Mapping[str, Any]) -> str | None:
    """What keeps a network that an index names from being loaded for whoever reads it; None where nothing does.

    Only what comes with Pellucid, or is named in a package of networks and comes with its weights, is loaded: functions
    run code, and files of weights and labels, repositories and addresses are somebody's choice.
    """
    spec = said.get("spec")
    given = {name for name, value in said.items() if value is not None}
    if spec is None or names_code(spec):
        return f"the network {str(spec)[:80]!r}"
    more = sorted(given - _PLAIN)
    return f"{' and '.join(more)} for the network {spec!r}" if more else None


def asks_elsewhere(source: str) -> bool:
    """Whether the images that an index names are anywhere but in files of this machine."""
    kind, _, place = source.partition(":")
    ours = {row.name for row in IMAGES.rows() if not row.package}
    return kind not in ours or is_url(place) or "://" in place or place.startswith(("\\\\", "//"))


def _check(said: Mapping[str, Any]) -> None:
    for name, test in _TESTS.items():
        if not test(said[name]):
            raise ValueError(f"{name} is {_short(said[name])}")


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, (list, dict)) else f"a {type(value).__name__} of {len(value)}"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _fits(plan: Plan) -> None:
    """Raises ValueError where the parts of a plan do not belong together."""
    units = plan.units
    many = len(units.layers)
    rows = (units.channels, units.places, units.placements, units.signed, units.clips)
    if not many or len(set(units.layers)) < many or any(len(row) != many for row in rows):
        raise ValueError("its layers, channels and places do not belong together")
    if len(units) > _UNITS:
        raise ValueError(f"it has {len(units)} units")
    known = {*units.layers, *units.aliases}
    if len({fold.name for fold in plan.folds}) < len(plan.folds):
        raise ValueError("it keeps a statistic twice")
    if not set(units.aliases.values()) <= known:
        raise ValueError("an alias names a layer that it does not have")
    for placement, places in zip(units.placements, units.places, strict=True):
        if placement is not None and not _lies(placement, places):
            raise ValueError("a layer's cells lie nowhere")
    if plan.shards > 10**7:
        raise ValueError(f"{plan.shards} shards")
    for fold in plan.folds:
        fold.fits(plan.scope)
    plan.observes  # noqa: B018  # raises where the folds do not go together


def _lies(placement: Placement, places: tuple[int, int]) -> bool:
    """Whether a placement is one: pairs of numbers, and where cells are not even, one number for each."""
    pairs = [placement.start, placement.jump, placement.field, placement.patch]
    rows: list[tuple[tuple[float, ...], int]] = [(pair, 2) for pair in pairs]
    rows += zip(placement.grid, places, strict=True) if placement.grid is not None else []
    numbers = all(len(row) == many and all(map(_near, row)) for row, many in rows)
    return isinstance(placement.exact, bool) and numbers and min(*placement.field, *placement.patch) > 0


def _near(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and abs(value) < 1e7


def _seen(value: Any) -> bool:
    """Whether that is a `Preprocess` of images that fit into memory."""
    try:
        found = TypeAdapter(Preprocess).validate_python(dict(value))
    except (ValidationError, TypeError, ValueError):
        return False
    resize = (found.resize,) * 2 if isinstance(found.resize, int) else found.resize
    numbers = [*found.mean, *found.std, *(found.value_range or ())]
    return (
        all(one is None or (min(one) > 0 and one[0] * one[1] <= _PIXELS) for one in (resize, found.crop))
        and set(value) <= {one.name for one in fields(Preprocess)}
        and 0 < (found.channels or 1) <= 10_000
        and all(map(math.isfinite, numbers))
    )


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT and "\0" not in value


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_whole(1, _UNITS)(one) for one in value)


def _places(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 2 and all(map(_whole(1, 10**5), one)) for one in value
    )


def _folds(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, Mapping) and _text(one["name"]) and _whole(0, 10**6)(one["format"])
        and isinstance(one["options"], Mapping)
        for one in value
    )  # fmt: skip


def _clips(value: Any) -> bool:
    return isinstance(value, list) and all(
        one is None
        or (_whole(0, 10**6)(one["call"]) and all(isinstance(one[end], (int, float)) for end in ("low", "high")))
        for one in value
    )


def _units(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    aliases = value["aliases"]
    tests = {"layers": _texts, "channels": _numbers, "places": _places, "clips": _clips}
    for name, test in tests.items():
        if not test(value[name]):
            raise ValueError(f"units: {name} is {_short(value[name])}")
    return (
        isinstance(aliases, Mapping) and all(map(_text, [*aliases, *aliases.values()]))
        and all(isinstance(one, bool) for one in value["signed"])
    )  # fmt: skip


_TESTS: dict[str, Callable[[Any], bool]] = {
    "net": lambda value: isinstance(value, Mapping) and len(value) < 50,
    "weights": _text,
    "preprocess": _seen,
    "source": _text,
    "images": _whole(0, _IMAGES),
    "names": _text,
    "labels": _text,
    "units": _units,
    "folds": _folds,
    "classes": _texts,
    "at_once": _whole(1, 1024),
    "shard": _whole(1, _IMAGES),
    "batch": _whole(1, 10**6),
    "seed": _whole(0, 2**64),
    "dtype": _text,
    "device": _text,
    "size": lambda value: isinstance(value, list) and len(value) == 2 and all(map(_whole(1, 10**5), value)),
    "versions": lambda value: isinstance(value, Mapping) and all(map(_text, [*value, *value.values()])),
}


def refused(what: str, way: str) -> PellucidError:
    """The answer to an index that names what is not run or asked on its word."""
    return PellucidError(f"the index names {what}, which is not run or opened on its word: name it with {way}")
