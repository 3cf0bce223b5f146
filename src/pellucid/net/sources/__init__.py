"""Where networks come from: one file per source, each with `find(rest, *, pretrained) -> Found`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from torch import nn

from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess


@dataclass(frozen=True, eq=False)
class Found:
    """What a source knows about a network; the fields are those of a Net."""

    module: nn.Module
    name: str
    preprocess: Preprocess = Preprocess()
    labels: Labels | None = None
    output: str | None = None


SOURCES = {
    "bundled": "bundled",
    "timm": "timm:NAME",
    "torchvision": "torchvision:NAME",
    "function": "package.module:function or path/to/file.py:function",
}
"""Each source (the file here of that name, imported when first asked) and how a person asks for a network of it."""


def find(source: str, rest: str, *, pretrained: bool) -> Found:
    """The network that `source` knows as `rest`, with its trained weights or, if not `pretrained`, random ones."""
    found: Found = import_module(f"{__name__}.{source}").find(rest, pretrained=pretrained)
    return found
