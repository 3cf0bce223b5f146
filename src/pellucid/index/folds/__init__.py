"""The statistics that an index has, a file for each kind."""

from typing import Any

from pellucid.index.folds.classes import ClassMeans
from pellucid.index.folds.embeddings import Embeddings, Maxima
from pellucid.index.folds.extremes import Largest, Smallest
from pellucid.index.folds.histogram import Histogram
from pellucid.index.folds.sample import RandomSample
from pellucid.index.folds.sums import ExactSums
from pellucid.sweep.fold import Fold
from pellucid.sweep.hashes import Hashes

__all__ = [
    "STANDARD", "ClassMeans", "Embeddings", "ExactSums", "Hashes", "Histogram", "Largest", "Maxima", "RandomSample",
    "Smallest",
]  # fmt: skip

STANDARD: tuple[type[Fold[Any]], ...] = (
    Largest, Smallest, Histogram, ExactSums, RandomSample, Embeddings, Maxima, ClassMeans, Hashes,
)  # fmt: skip
"""Those that every index has, where its options and images have something to keep."""
