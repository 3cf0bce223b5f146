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

if TYPE_CHECKING:  # `as` hands a name on: without it mypy's strict mode finds none of them
    from pellucid import images as images
    from pellucid import net as net
    from pellucid import progress as progress
    from pellucid import target as target
    from pellucid.ask import explain as explain
    from pellucid.bars import show_progress as show_progress
    from pellucid.catalogue import entries as entries
    from pellucid.catalogue import find as find
    from pellucid.catalogue.ask import Ask as Ask
    from pellucid.data import Data as Data
    from pellucid.draw._call import draw as draw
    from pellucid.draw.film import film as film
    from pellucid.errors import PellucidError as PellucidError
    from pellucid.history import History as History
    from pellucid.images import Images as Images
    from pellucid.images import read as read
    from pellucid.methods import activations as activations
    from pellucid.methods import attribution as attribution
    from pellucid.methods import bias as bias
    from pellucid.methods import blocks as blocks
    from pellucid.methods import captions as captions
    from pellucid.methods import examples as examples
    from pellucid.methods import filters as filters
    from pellucid.methods import inherent as inherent
    from pellucid.methods import landscape as landscape
    from pellucid.methods import localization as localization
    from pellucid.methods import proxies as proxies
    from pellucid.methods import quality as quality
    from pellucid.methods import representation as representation
    from pellucid.methods import synthesis as synthesis
    from pellucid.methods import training as training
    from pellucid.methods import units as units
    from pellucid.net import Net as Net
    from pellucid.net.load import load as load
    from pellucid.net.nets import Nets as Nets
    from pellucid.result import Heatmap as Heatmap
    from pellucid.result import Result as Result
    from pellucid.result.stored import open as open
    from pellucid.resume import resumable as resumable
    from pellucid.store import Store as Store
    from pellucid.web.serve import serve as serve
    from pellucid.workers import spread as spread

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
    "Store": "pellucid.store:Store",
    "activations": "pellucid.methods.activations",
    "attribution": "pellucid.methods.attribution",
    "bias": "pellucid.methods.bias",
    "blocks": "pellucid.methods.blocks",
    "captions": "pellucid.methods.captions",
    "draw": "pellucid.draw",
    "entries": "pellucid.catalogue:entries",
    "examples": "pellucid.methods.examples",
    "explain": "pellucid.ask:explain",
    "film": "pellucid.draw.film:film",
    "filters": "pellucid.methods.filters",
    "find": "pellucid.catalogue:find",
    "images": "pellucid.images",
    "inherent": "pellucid.methods.inherent",
    "landscape": "pellucid.methods.landscape",
    "proxies": "pellucid.methods.proxies",
    "quality": "pellucid.methods.quality",
    "localization": "pellucid.methods.localization",
    "load": "pellucid.net.load:load",
    "net": "pellucid.net",
    "open": "pellucid.result.stored:open",
    "progress": "pellucid.progress",
    "read": "pellucid.images:read",
    "representation": "pellucid.methods.representation",
    "resumable": "pellucid.resume:resumable",
    "serve": "pellucid.web.serve:serve",
    "show_progress": "pellucid.bars:show_progress",
    "spread": "pellucid.workers:spread",
    "synthesis": "pellucid.methods.synthesis",
    "target": "pellucid.target",
    "training": "pellucid.methods.training",
    "units": "pellucid.methods.units",
}
"""Where each public name lives: a module, or module:attribute."""

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        from pellucid.catalogue import nearest

        near = nearest(name, {one: f"pl.{one}" for one in _HOME})
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}{near}")
    module, _, attribute = _HOME[name].partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted(__all__)
