"""Where networks come from: one file for each source, which declares its `find(rest, *, pretrained) -> Found`.

    @source("timm", written="timm:NAME")
    def find(rest, *, pretrained): ...

`load("timm:resnet50")` then asks it for `resnet50`. Another package names its function in the entry points
`pellucid.networks`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, resources
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import nn

from pellucid.errors import BadNetwork, MissingExtra, PellucidError
from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess
from pellucid.plugins import NETWORKS
from pellucid.result.scores import Scores

FUNCTION = "function"
"""The source that runs the user's own code: it knows whatever has a colon and is no other's."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a source knows about a network; the fields are those of a Net."""

    module: nn.Module
    name: str
    preprocess: Preprocess
    labels: Labels | None = None
    output: str | None = None
    scores: Scores | None = None


@runtime_checkable
class Find(Protocol):
    """A source: the network of a name, with its trained weights or, if not `pretrained`, with random ones."""

    def __call__(self, rest: str, *, pretrained: bool) -> Found: ...


F = TypeVar("F", bound=Find)


def source(name: str, *, written: str, zoo: bool = False) -> Callable[[F], F]:
    """Declare a function as a source of networks: `name:REST` asks it for REST; `written` is the help of `--net`.

    A `zoo` finds its networks by plain names, with weights of its own: no file, repository or address that somebody
    else chose, so that the network an index names may be loaded on its word.
    """
    return NETWORKS.declare(name, written=written, zoo=zoo)


def find(name: str, rest: str, *, pretrained: bool) -> Found:
    """The network that a source knows as `rest`. Raises BadNetwork where the source of another package fails."""
    row = NETWORKS.row(name)
    known: Find = NETWORKS.load(row)
    try:
        return known(rest, pretrained=pretrained)
    except PellucidError:
        raise
    except Exception as error:
        if not row.package:
            raise
        raise BadNetwork(f"{name}:{rest}: the package {row.package} failed: {type(error).__name__}: {error}") from error


def bare(module: nn.Module) -> Preprocess:
    """What is known of a module that came without preprocessing: the channels its first convolution takes.

    That its mean and standard deviation are unknown is known, too, and said with every result.
    """
    first = next((part for part in module.modules() if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d))), None)
    return Preprocess(channels=(first.in_channels or None) if first else None, unstated=("mean", "std"))


def imagenet() -> Labels:
    """The 1000 classes of ILSVRC-2012, in the order that every zoo uses."""
    rows = json.loads(resources.files("pellucid.net").joinpath("imagenet.json").read_text("utf-8"))
    return Labels(tuple(tuple(names) for _, *names in rows), tuple(wnid for wnid, *_ in rows))


def optional(package: str, extra: str) -> Any:
    """The package of an extra. Raises MissingExtra, or BadNetwork if it is there but cannot be imported."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name and "." not in error.name:  # the package, or one that it needs and pip brings with it
            raise MissingExtra(package, extra) from error
        raise BadNetwork(f"{package} cannot be imported: {error}") from error
    except Exception as error:
        if "torchvision::nms" in str(error):
            raise BadNetwork(
                f"{package} cannot be imported: the installed torchvision is for another torch ({error}); "
                "install both from one place, on CPU-only torch: "
                "pip install --force-reinstall torchvision --index-url https://download.pytorch.org/whl/cpu"
            ) from error
        raise BadNetwork(f"{package} cannot be imported: {type(error).__name__}: {error}") from error
