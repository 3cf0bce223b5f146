"""Pellucid: look inside convolutional neural networks.

    import pellucid as pl
    net = pl.load("bundled")
    heat = pl.attribution.grad_cam(net, "dog.jpg", "boxer")
    pl.draw(heat).save("boxer.png")
    heat.save("boxer.npz")  # all of it: pl.open("boxer.npz") is the same heatmap

Names are fetched when they are first used, so that `pellucid --help` need not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid import images, net, progress, target
    from pellucid.ask import explain
    from pellucid.catalogue import entries, find
    from pellucid.catalogue.ask import Ask
    from pellucid.data import Data
    from pellucid.draw import draw
    from pellucid.errors import PellucidError
    from pellucid.history import History
    from pellucid.images import Images, read
    from pellucid.methods import activations, attribution, filters, representation, synthesis, units
    from pellucid.net import Net
    from pellucid.net.load import load
    from pellucid.net.nets import Nets
    from pellucid.result import Heatmap, Result
    from pellucid.result.stored import open

__version__ = "0.1.0"

_HOME = {
    "Ask": "pellucid.catalogue.ask:Ask",
    "Data": "pellucid.data:Data",
    "Heatmap": "pellucid.result:Heatmap",
    "History": "pellucid.history:History",
    "Images": "pellucid.images:Images",
    "Net": "pellucid.net:Net",
    "Nets": "pellucid.net.nets:Nets",
    "PellucidError": "pellucid.errors:PellucidError",
    "Result": "pellucid.result:Result",
    "activations": "pellucid.methods.activations",
    "attribution": "pellucid.methods.attribution",
    "draw": "pellucid.draw",
    "entries": "pellucid.catalogue:entries",
    "explain": "pellucid.ask:explain",
    "filters": "pellucid.methods.filters",
    "find": "pellucid.catalogue:find",
    "images": "pellucid.images",
    "load": "pellucid.net.load:load",
    "net": "pellucid.net",
    "open": "pellucid.result.stored:open",
    "progress": "pellucid.progress",
    "read": "pellucid.images:read",
    "representation": "pellucid.methods.representation",
    "synthesis": "pellucid.methods.synthesis",
    "target": "pellucid.target",
    "units": "pellucid.methods.units",
}
"""Where each public name lives: a module, or module:attribute."""

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    module, _, attribute = _HOME[name].partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted(__all__)
