"""Pictures that a method made, and how far each may be trusted."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.result.base import Meta, Result, one_of_many

ADVERSARIAL = 0.5
"""Of its activation a picture must keep this share when it is shifted by 4 pixels, and under small touches of several
kinds together; below, it is adversarial noise."""
ENOUGH = 10
"""Real images for a mean and a standard deviation that are worth the name."""


@dataclass(frozen=True)
class Trust:
    """What a synthetic picture is worth, measured on its 8 bits through the network's own preprocessing.

    Whatever could not be known is None, and said to be unknown.
    """

    activation: float | None
    """Of the target, on the picture as a file would hold it."""
    best_real: float | None = None
    """The strongest activation among the real images known."""
    ninth_real: float | None = None
    """The ninth strongest."""
    real_images: int = 0
    """How many real images that is."""
    quantile: float | None = None
    """The share of the real images that excite the target less; known from 100 images on."""
    offset: float = 0.0
    """Where shares of real activations count from: 0; for a unit that can be negative its mean over the real images, or
    what it says to plain gray where those are fewer than ten."""
    robustness: float | None = None
    """Mean activation under small shifts, turns, zooms, JPEG 75 and noise, over the same of the best real image."""
    shift_retention: float | None = None
    """Mean share of the activation that is left after a shift of 4 pixels; both are counted from plain gray's."""
    perturb_retention: float | None = None
    """The same under small shifts, turns, zooms, JPEG 75 and noise, all together."""
    rank: int | None = None
    """Place of the unit among its layer's channels, by z-score over the real images (1: most excited)."""
    channels: int | None = None
    """How many channels it was ranked among."""
    raw_rank: bool = False
    """The rank is by raw activations, because too few real images are known for z-scores."""
    agreement: float | None = None
    """Mean cosine similarity, in the target's layer, to the pictures made for it from other seeds."""

    @property
    def ratio(self) -> float | None:
        """ρ₁ = activation / best real one, both counted from `zero`; None where that is unknown or not positive."""
        return self._over(self.best_real)

    @property
    def ninth_ratio(self) -> float | None:
        """ρ₉, the same against the ninth strongest real image."""
        return self._over(self.ninth_real)

    @property
    def adversarial(self) -> bool:
        """Whether the activation collapses when the picture is shifted a little, or touched otherwise.

        Both are asked: noise that is periodic in 4 pixels, as the strides of a network make it, survives the shift.
        """
        return any(
            share is not None and share < ADVERSARIAL for share in (self.shift_retention, self.perturb_retention)
        )

    def derived(self) -> dict[str, Any]:
        """What follows from the rest, for descriptions."""
        return {"ratio": self.ratio, "ninth_ratio": self.ninth_ratio, "adversarial": self.adversarial}

    def _over(self, real: float | None) -> float | None:
        if self.activation is None or real is None or real <= self.offset:
            return None
        return (self.activation - self.offset) / (real - self.offset)


@dataclass(frozen=True, eq=False)
class Pictures(Result):
    """N pictures that a method made: (N, H, W, C) in 8 bits, exactly what a file of them holds.

    Pictures of several sizes, as those made from photos may be, are a tuple of (H, W, C) instead.
    `names` say what each shows; `facts` are numbers about each, under their names; `trust` belongs to each, where
    the method measures it; `beside` are pictures to be shown next to each, under a name (the photo it began as).
    With `columns`, the pictures are a grid of that many in a row.
    """

    pixels: UInt8[np.ndarray, "n height width channels"] | tuple[UInt8[np.ndarray, "_ _ _"], ...]
    names: tuple[str, ...]
    facts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    trust: tuple[Trust, ...] | None = None
    beside: Mapping[str, UInt8[np.ndarray, "n rows columns channels"] | tuple[UInt8[np.ndarray, "_ _ _"], ...]] = field(
        default_factory=dict
    )
    columns: int | None = None
    meta: Meta = field(default_factory=Meta)
    each = ("pixels", "names")

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", _together(self.pixels))
        object.__setattr__(self, "beside", {name: _together(values) for name, values in self.beside.items()})
        parts: dict[str, Any] = {"names": self.names, **self.facts, **self.beside}
        if self.trust is not None:
            parts["trust"] = self.trust
        wrong = [f"{len(part)} {name}" for name, part in parts.items() if len(part) != len(self.pixels)]
        if wrong:
            raise ValueError(f"{len(self.pixels)} pictures with {', '.join(wrong)}")

    def __repr__(self) -> str:
        size = ", ".join(dict.fromkeys("×".join(map(str, one.shape[:2])) for one in self.pixels))
        return f"Pictures({len(self)} of {size}, {self.meta.method or 'no method'}: {', '.join(self.names[:3])})"

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, i: int) -> Pictures:
        """Picture i alone, with N = 1."""
        one = one_of_many(i, len(self), "result")
        return self.alone(
            i,
            facts={name: values[one] for name, values in self.facts.items()},
            trust=self.trust[one] if self.trust is not None else None,
            beside={name: values[one] for name, values in self.beside.items()},
            columns=None,
        )

    def derived(self) -> dict[str, Any]:
        """How many of which size (that of the first), and what they show."""
        return {"shape": (len(self), *self.pixels[0].shape), "pictures": self.names}

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


def _together(pictures: Any) -> Any:
    """One array of them where they are of one size."""
    same = isinstance(pictures, tuple) and len({one.shape for one in pictures}) == 1
    return np.stack(pictures) if same else pictures
