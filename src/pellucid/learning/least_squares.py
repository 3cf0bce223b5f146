"""Least squares on features of images, which no network is needed for."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch.nn import functional as F

from pellucid.data import Data
from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.images.sources import listed
from pellucid.notes import Note, say


def pixels_of(data: Data, count: int, size: int) -> tuple[Float[np.ndarray, "n d"], Int[np.ndarray, " n"]]:
    """(N, d) pixels, 0..1, of the first `count` images, and (N,) their classes, numbered without gaps.

    Images that are larger are shrunk to `size` per side. PellucidError for fewer than 8, and where shapes differ.
    """
    rows: list[torch.Tensor] = []
    labels: list[int] = []
    missing: dict[str, str] = {}
    for i in range(min(len(data), count)):
        try:
            image, label = data.item(i)
        except BadImage as error:
            missing[data.name(i)] = str(error)
            continue
        one = image.pictures[0].cpu()
        one = (one.double() / 255 if one.dtype == torch.uint8 else one.double())[None]
        if max(one.shape[-2:]) > size:  # areas are averaged, so that nothing is aliased
            one = F.adaptive_avg_pool2d(one, (min(size, one.shape[-2]), min(size, one.shape[-1])))
        if rows and one.shape[1:] != rows[0].shape[1:]:
            raise Refused(
                f"{data.name(i)!r} is {tuple(one.shape[1:])}, the first image {tuple(rows[0].shape[1:])}: features "
                "need images of one shape; with a smaller size= all are shrunk to it"
            )
        rows.append(one)
        labels.append(label)
    if missing:
        why = next(iter(missing.values()))
        say(Note("unreadable", f"images left out: {listed(list(missing), len(missing))} ({why})"))
    if len(rows) < 8:
        raise PellucidError(f"{len(rows)} images: to train on some and to hold others out takes 8 at least")
    return torch.cat(rows).flatten(1).numpy(), np.unique(labels, return_inverse=True)[1]


def smallest(features: Float[np.ndarray, "n p"], wanted: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "p k"]:
    """The coefficients of smallest norm among those of least squares."""
    return np.asarray(np.linalg.lstsq(features, wanted, rcond=None)[0])
