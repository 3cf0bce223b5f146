"""What a network returns: the tensor to explain, its rows of numbers, one for each class, and their names."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net.labels import Labels

_GROUND = ("background", "__background__", "bg", "dummy", "none", "n/a", "unlabeled", "unlabeled", "other")


def selected(returned: Any, which: str | None, name: str) -> Tensor:
    """The tensor to explain out of whatever the module returned; Refused where `output=` has to say which."""
    value = returned
    for key in which.split(".") if which is not None else ():
        try:
            value = _step(value, key)
        except (KeyError, IndexError, AttributeError, ValueError) as error:
            raise UnknownName(f"no output {which!r} in what {name} returns: {_describe(returned)}") from error
    if isinstance(value, Tensor):
        return value
    raise Refused(f"{name} returns {_describe(value)}: {_advice(value)}")


def for_each_image(output: Tensor, images: int, name: str) -> Tensor:
    """The output, if it has one row for each image."""
    if output.dim() and len(output) == images:
        return output
    shape = "×".join(map(str, output.shape)) or "one number"
    raise Refused(
        f"{name} returns {shape} for {images} image{'s' * (images > 1)}, and one row for each image is needed: "
        "load a module around it that puts the rows of an image together, for example as their mean"
    )


def _step(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value[key]
    return value[int(key)] if key.isdecimal() else getattr(value, key)


def _describe(value: Any) -> str:
    if isinstance(value, Tensor):
        return "one tensor"
    if isinstance(value, Mapping):
        return f"a dict of {', '.join(map(str, value))}"
    if isinstance(value, (tuple, list)):
        named = getattr(value, "_fields", None)
        return f"a tuple of {', '.join(named) if named else len(value)}"
    return f"a {type(value).__name__}"


def _advice(value: Any) -> str:
    if isinstance(value, (tuple, list)) and value and isinstance(value[0], Mapping) and "boxes" in value[0]:
        return "that is a detector's answer, ask about one detection: box(CLASS,x1,y1,x2,y2)"
    if isinstance(value, (str, bytes, int, float, type(None))) or (
        isinstance(value, (Mapping, tuple, list)) and not value
    ):
        return "its forward must return a tensor, or something that holds one"
    key = next(iter(value)) if isinstance(value, Mapping) and value else "0"
    return f"say which with output=, for example output={key!r}"


def rows(output: Tensor) -> Tensor | None:
    """(N, outputs) of an output (N,), (N, outputs), (N, outputs, 1, 1) or (N, 1, 1, outputs); None for another."""
    if output.dim() == 1:
        return output[:, None]
    if output.dim() == 2:
        return output
    sides = output.shape[1:]
    if output.dim() > 2 and (set(sides[1:]) == {1} or set(sides[:-1]) == {1}):
        return output.flatten(1)
    return None


def labeled(name: str, labels: Labels, outputs: int) -> None:
    """Refuse labels that cannot be those of so many outputs: every name after a gap would be another class's."""
    given = len(labels)
    if given == outputs or (given, outputs) == (2, 1):
        return
    said = f"{given} labels for {outputs} outputs of {name}"
    if given == outputs + 1 and labels.name(0).strip().casefold() in _GROUND:
        raise PellucidError(
            f"{said}: the first, {labels.name(0)!r}, has no output, and with it each class would have the name of the "
            "one before; leave it out of labels="
        )
    ground = "; where output 0 is a background, begin labels= with the name 'background'"
    raise PellucidError(
        f"{said}: labels= needs a name for each output, in their order{ground if given == outputs - 1 else ''}"
    )


def whole_number(asked: Any, what: str) -> int:
    """A number of any library as one of ours; no truth values, which are numbers too."""
    try:
        if isinstance(asked, bool) or "bool" in str(getattr(asked, "dtype", "")):
            raise TypeError
        one = asked.item() if getattr(asked, "shape", ()) else asked  # of several numbers `item` raises ValueError
        return operator.index(one)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PellucidError(f"{what} {asked!r}: a name, or a whole number") from error
