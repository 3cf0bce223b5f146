"""Where networks come from: one file per source, each with `find(rest, *, pretrained) -> Found`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module, resources
from typing import Any

from torch import nn

from pellucid.errors import BadNetwork, MissingExtra
from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess
from pellucid.result.scores import Scores


@dataclass(frozen=True, eq=False)
class Found:
    """What a source knows about a network; the fields are those of a Net."""

    module: nn.Module
    name: str
    preprocess: Preprocess
    labels: Labels | None = None
    output: str | None = None
    scores: Scores | None = None


SOURCES = {
    "bundled": "bundled",
    "timm": "timm:NAME",
    "torchvision": "torchvision:NAME",
    "function": "package.module:function or path/to/file.py:function",
}
"""Each source (the file here of that name, imported when first asked) and how a person asks for a network."""


def find(source: str, rest: str, *, pretrained: bool) -> Found:
    """The network that `source` knows as `rest`, with its trained weights or, if not `pretrained`, random."""
    found: Found = import_module(f"{__name__}.{source}").find(rest, pretrained=pretrained)
    return found


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
        if error.name in ("timm", "torchvision"):
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
