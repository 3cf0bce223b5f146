"""t-SNE and UMAP, by the packages that have them, so that the same seed gives the same map."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from pellucid.errors import MissingExtra
from pellucid.geometry import Floats
from pellucid.progress import steps

_EACH = 10
"""Iterations of t-SNE after which it may be stopped."""


def tsne(seen: Floats, perplexity: float, seed: int) -> Floats:
    engine = extra("openTSNE")
    engine.affinity.is_package_installed = lambda name: find_spec(name) is not None  # its own loads what it never uses
    clock: Iterator[int] = steps(range(750 // _EACH), "t-SNE")
    next(clock)  # told at once: who is near whom takes a while
    tick = lambda *_: bool(next(clock, 0) is None)  # noqa: E731  # true would stop it
    small = len(seen) < 200  # FFT and approximate neighbors pay off later
    exact = {"neighbors": "exact", "negative_gradient_method": "bh"} if small else {"neighbors": "auto"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = engine.TSNE(
            perplexity=perplexity, n_jobs=1, random_state=seed % 2**32, callbacks=[tick], callbacks_every_iters=_EACH,
            initialization=begun(seen), **exact,
        ).fit(seen)  # fmt: skip
    for _ in clock:
        continue
    return np.asarray(made, np.float64)


def umap(seen: Floats, perplexity: float, seed: int) -> Floats:
    engine = extra("umap")
    near = min(max(round(perplexity), 2), len(seen) - 1)
    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = engine.UMAP(
                n_neighbors=near, random_state=seed % 2**32, n_jobs=1, init=1e5 * begun(seen)
            ).fit_transform(seen.astype(np.float32))
    finally:
        torch.set_num_threads(threads)  # numba changes them, and with them torch's last bits
    return np.asarray(made, np.float64)


def begun(seen: Floats) -> Floats:
    """Where points start: on the first two principal components, as small as t-SNE wants it (Kobak & Berens 2019)."""
    return np.asarray(seen[:, :2] / (seen[:, 0].std() or 1) * 1e-4)


def extra(name: str) -> Any:
    """The package that lays out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError as error:
        what = {"openTSNE": "t-SNE", "umap": "UMAP"}[name]
        raise MissingExtra(f"a map by {what} (openTSNE, umap-learn; pca and ica need none)", "maps") from error
