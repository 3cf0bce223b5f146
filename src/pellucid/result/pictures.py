"""Pictures that a method made, and how far each may be trusted."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.result.base import Meta, Result, one_of_many, save_arrays

ADVERSARIAL = 0.5
"""Of its activation a picture must keep this share when it is shifted by 4 pixels; below, it is adversarial noise."""


@dataclass(frozen=True)
class Trust:
    """What a synthetic picture is worth, measured on its 8 bits through the network's own preprocessing.

    Whatever could not be known is None, and said to be unknown.
    """

    activation: float
    """Of the target, on the picture as a file would hold it."""
    best_real: float | None = None
    """The strongest activation among the real images known."""
    real_images: int = 0
    """How many real images that is."""
    robust: float | None = None
    """Mean activation under small shifts, turns, zooms, JPEG 75 and noise, over the same of the best real image."""
    kept: float | None = None
    """Mean share of the activation that is left after a shift of 4 pixels."""
    rank: int | None = None
    """Place of the unit among its layer's channels, by z-score over the real images (1: most excited)."""
    channels: int | None = None
    """How many channels it was ranked among."""
    agreement: float | None = None
    """Mean cosine similarity, in the target's layer, to the pictures made for it from other seeds."""

    @property
    def ratio(self) -> float | None:
        """Activation over the best real one; None where that is unknown or not positive."""
        known = self.best_real is not None and self.best_real > 0
        return self.activation / self.best_real if known and self.best_real else None

    @property
    def adversarial(self) -> bool:
        """Whether the activation collapses when the picture is shifted a little."""
        return self.kept is not None and self.kept < ADVERSARIAL

    def as_dict(self) -> dict[str, Any]:
        """Plain values, with the two that follow from others."""
        return dataclasses.asdict(self) | {"ratio": self.ratio, "adversarial": self.adversarial}


@dataclass(frozen=True, eq=False)
class Pictures(Result):
    """N pictures that a method made: (N, H, W, C) in 8 bits, exactly what a file of them holds.

    `names` say what each shows; `facts` are numbers about each, under their names; `trust` belongs to each, where
    the method measures it; `beside` are pictures to be shown next to each, under a name (the photo it began as).
    With `columns`, the pictures are a grid of that many in a row.
    """

    pixels: UInt8[np.ndarray, "n height width channels"]
    names: tuple[str, ...]
    facts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    trust: tuple[Trust, ...] | None = None
    beside: Mapping[str, UInt8[np.ndarray, "n rows columns channels"]] = field(default_factory=dict)
    columns: int | None = None
    meta: Meta = field(default_factory=Meta)

    def __post_init__(self) -> None:
        parts: dict[str, Any] = {"names": self.names, **self.facts, **self.beside}
        if self.trust is not None:
            parts["trust"] = self.trust
        wrong = [f"{len(part)} {name}" for name, part in parts.items() if len(part) != len(self.pixels)]
        if wrong:
            raise ValueError(f"{len(self.pixels)} pictures with {', '.join(wrong)}")

    def __repr__(self) -> str:
        size = "×".join(map(str, self.pixels.shape[1:3]))
        return f"Pictures({len(self)} of {size}, {self.meta.method or 'no method'}: {', '.join(self.names[:3])})"

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, i: int) -> Pictures:
        """Picture i alone, with N = 1."""
        one = one_of_many(i, len(self), "result")
        return dataclasses.replace(
            self,
            pixels=self.pixels[one],
            names=self.names[one],
            facts={name: values[one] for name, values in self.facts.items()},
            trust=self.trust[one] if self.trust is not None else None,
            beside={name: values[one] for name, values in self.beside.items()},
            columns=None,
            meta=self.meta.of(one, len(self)),
        )

    def save(self, path: str | Path) -> Path:
        """Write pixels, facts, trust and origin to `path` (.npz); atomic."""
        told = json.dumps([one.as_dict() for one in self.trust or ()])
        facts = {f"facts.{name}": np.asarray(values) for name, values in self.facts.items()}
        beside = {f"beside.{name}": values for name, values in self.beside.items()}
        return save_arrays(
            path, self.meta, pixels=self.pixels, names=np.asarray(self.names), trust=np.asarray(told), **facts, **beside
        )

    def write(self, path: str | Path) -> list[Path]:
        """Write the bare pictures as PNG, pixel for pixel: to `path`, or for several to NAME-0.png, NAME-1.png, …"""
        path = Path(path)
        if path.suffix.lower() != ".png":
            raise PellucidError(f"cannot write bare pixels as {path.name!r}: its name must end in .png")
        several = len(self) > 1
        files = [path.with_stem(f"{path.stem}-{i}") if several else path for i in range(len(self))]
        return [write_atomically(file, lambda out, i=i: out.write(self._png(i))) for i, file in enumerate(files)]  # type: ignore[misc]

    def _png(self, i: int) -> bytes:
        pixels, buffer = self.pixels[i], io.BytesIO()
        if pixels.shape[-1] not in (1, 3):
            raise PellucidError(f"a picture of {pixels.shape[-1]} channels has no PNG: save .npz")
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
        return buffer.getvalue()
