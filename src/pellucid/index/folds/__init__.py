"""The statistics that an index has, a file for each kind: whatever fold stands in a file of this folder."""

import pkgutil
from importlib import import_module
from typing import Any

from pellucid.plugins import FOLDS
from pellucid.sweep.fold import Fold
from pellucid.sweep.hashes import Hashes

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

STANDARD: tuple[type[Fold[Any]], ...] = (
    *(FOLDS.load(row) for row in FOLDS.rows() if row.module.startswith(f"{__name__}.")),
    Hashes,
)
"""Every index has them, where its options and images have something to keep."""
