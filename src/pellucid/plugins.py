"""What can be added to Pellucid: by a file here, or by another package through its entry points.

Each registry lies here, and not in its room, so that help and completion can list what is there without importing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid.registry import Registry


def _first(_: str, first: Any, said: Mapping[str, Any]) -> str:
    return str(first)


def _kind(_: str, kind: Any, said: Mapping[str, Any]) -> str:
    return f"list of {kind}" if said.get("several") else str(kind)


def _word(_: str, form: Any, said: Mapping[str, Any]) -> str:
    """`word` of `word(TOKEN,POSITION)`; a form without brackets is its own name."""
    return str(form).partition("(")[0]


METHODS = Registry("pellucid.methods", "method", "pellucid.methods.*", mark="method")
NETWORKS = Registry("pellucid.networks", "source of networks", "pellucid.net.sources", mark="source", called=_first)
IMAGES = Registry("pellucid.images", "source of images", "pellucid.images.sources", mark="source", called=_first)
TARGETS = Registry("pellucid.targets", "target", "pellucid.target", mark="target", called=_word)
RESULTS = Registry("pellucid.results", "kind of result", "pellucid.result")
DRAWINGS = Registry("pellucid.drawings", "drawing", "pellucid.draw", mark="drawing", called=_kind)
FOLDS = Registry("pellucid.folds", "statistic", "pellucid.sweep.hashes", "pellucid.index.folds", called=_first)
REGISTRIES = (METHODS, NETWORKS, IMAGES, TARGETS, RESULTS, DRAWINGS, FOLDS)


def forms(registry: Registry) -> tuple[str, ...]:
    """How a person writes each thing, the shortest first, for help and for errors."""
    return tuple(sorted((row.said["written"] for row in registry.rows()), key=len))
