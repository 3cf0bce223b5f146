"""The options of `load`, declared once: its signature, the command line and the documentation are made from them.

This file imports neither torch nor numpy, so that help pages need not wait.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypedDict, TypeVar, cast, get_type_hints, runtime_checkable

from pydantic import Field

from pellucid.described import Default, Shell
from pellucid.errors import unknown

F = TypeVar("F", bound=Callable[..., Any])
Scores = Literal["logits", "probabilities", "log_probabilities", "multilabel", "regression"]
"""Logits of classes that exclude one another (softmax); probabilities, of one class out of several or of each by
itself; their logarithms; logits of labels of which each stands by itself (sigmoid); values that are no classes."""
Interpolation = Literal["bilinear", "bicubic", "nearest"]
Side = int | tuple[int, int]
"""A side in pixels, or (height, width)."""
PerChannel = float | int | Sequence[float | int]
Range = tuple[float | int, float | int]
"""(black, white): the values that 0 and 1 stand for."""


@runtime_checkable
class Named(Protocol):
    """Names of classes, such as `Labels`."""

    def name(self, index: int) -> str: ...


class LoadOptions(TypedDict, total=False):
    """What the source of a network does not know, or what overrides it."""

    weights: Annotated[
        str | Path | None,
        Field(description="file of weights (a checkpoint) to load into the network, or 'random'"),
        Default("the network's trained weights"),
        Shell(value="FILE"),
    ]
    labels: Annotated[
        Named | Sequence[str] | Mapping[Any, Any] | str | Path | None,
        Field(description="file of class names: one a line, JSON, or a table"),
        Default("the names that come with the network"),
        Shell(value="FILE"),
    ]
    output: Annotated[
        str | None,
        Field(description="name or index of the tensor to explain, for a network that returns several: logits, 0"),
        Default("the one tensor that holds class scores"),
        Shell(value="NAME"),
    ]
    scores: Annotated[
        Scores | None,
        Field(
            description="meaning of the network's outputs: logits of classes that exclude one another, multilabel "
            "(logits of labels that stand by themselves), probabilities, log_probabilities, or regression"
        ),
        Default("as the network ends, else logits"),
        Shell(value="KIND"),
    ]
    size: Annotated[
        Side | None,
        Field(description="side of the network's input in pixels, or HEIGHTxWIDTH"),
        Default("the size that it was trained with"),
        Shell("--input-size", "PIXELS"),
    ]
    channels: Annotated[
        int | None,
        Field(description="number of channels of the network's input", ge=1),
        Default("as its first layer takes"),
    ]
    mean: Annotated[
        PerChannel | None,
        Field(description="mean of each channel, in pixel values from 0 to 1, or in the units of the value range"),
        Default("as the network was trained"),
        Shell(value="N,N,N"),
    ]
    std: Annotated[
        PerChannel | None,
        Field(description="standard deviation of each channel, in the same units as mean"),
        Default("as the network was trained"),
        Shell(value="N,N,N"),
    ]
    value_range: Annotated[
        Range | None,
        Field(
            description="lowest and highest possible value of the images: 0,65535 for 16 bits; mean and std are then "
            "in these units, and images deeper than 8 bits are read on this scale"
        ),
        Default("the range of the file's data type"),
        Shell(value="LOW,HIGH"),
    ]
    clip: Annotated[
        bool | None,
        Field(
            description="clipping of values outside the value range to its ends, as the window of a CT does; "
            "otherwise such an image is refused"
        ),
        Default("no clipping"),
    ]
    interpolation: Annotated[
        Interpolation | None,
        Field(description="way of resizing images to the network's input"),
        Default("as the network was trained"),
    ]


def declared(options: type[Any]) -> Callable[[F], F]:
    """For a function that takes `**options: Unpack[options]`: its signature names each of them, and an unknown one is
    answered with the nearest.
    """

    def sign(function: F) -> F:
        hints = get_type_hints(options, include_extras=True)
        said = inspect.signature(function)
        fixed = {name: one for name, one in said.parameters.items() if one.kind is not one.VAR_KEYWORD}

        @functools.wraps(function)
        def checked(*args: Any, **given: Any) -> Any:
            for name in given:
                if name not in hints and name not in fixed:
                    raise unknown(f"option of {function.__name__}", name, hints)
            return function(*args, **given)

        named = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_plain(hint))
            for name, hint in hints.items()
        ]
        found: Any = checked
        found.__signature__ = said.replace(parameters=[*fixed.values(), *named])
        return cast(F, found)

    return sign


def _plain(hint: Any) -> Any:
    """The type, without what is said of it."""
    return getattr(hint, "__origin__", hint)
