"""Folds by name: those of Pellucid, and those of other packages, which entry points `pellucid.folds` name."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any

from pellucid.errors import PellucidError
from pellucid.sweep.fold import KNOWN, Fold

GROUP = "pellucid.folds"
_HOMES = ("pellucid.sweep.hashes", "pellucid.index.folds")
"""Where our own are. A plan that is read names them, and only then are they imported: the one arrow upwards."""


def fold(name: str) -> type[Fold[Any]]:
    """The fold of that name. Raises PellucidError where no package here has it, or its package cannot be imported."""
    for home in _HOMES if name not in KNOWN else ():
        importlib.import_module(home)
    for point in entry_points(group=GROUP, name=name) if name not in KNOWN else ():
        try:
            point.load()
        except Exception as error:
            raise PellucidError(
                f"the statistic {name!r} is of {point.value}, which cannot be imported: {type(error).__name__}: {error}"
            ) from error
    if name not in KNOWN:
        raise PellucidError(f"no statistic {name[:80]!r} is known here: it is of a package that is not installed")
    return KNOWN[name]
