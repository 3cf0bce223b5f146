"""Parts of images, by name, as a box, or drawn as a mask in files; and the share of a map inside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, unknown
from pellucid.evaluation.things import Mask
from pellucid.images import Images
from pellucid.images.files import is_picture
from pellucid.net import Net
from pellucid.nouns import Noun

Box = tuple[float | int, float | int, float | int, float | int]
"""(top, left, bottom, right) as shares of the height and the width."""

_SIDE, _THIN = 1 / 4, 1 / 8
_CORNERS: dict[str, Box] = {
    "top left": (0, 0, _SIDE, _SIDE),
    "top right": (0, 1 - _SIDE, _SIDE, 1),
    "bottom left": (1 - _SIDE, 0, 1, _SIDE),
    "bottom right": (1 - _SIDE, 1 - _SIDE, 1, 1),
}
NAMED: dict[str, tuple[Box, ...]] = {
    "border": ((0, 0, _THIN, 1), (1 - _THIN, 0, 1, 1), (0, 0, 1, _THIN), (0, 1 - _THIN, 1, 1)),
    "corners": tuple(_CORNERS.values()),
    **{name: (box,) for name, box in _CORNERS.items()},
    "center": ((_SIDE, _SIDE, 1 - _SIDE, 1 - _SIDE),),
}
"""Parts of what the network sees: an eighth of each side as a border, corners a quarter of the side long."""


@dataclass(frozen=True, eq=False)
class Regions(Noun):
    """A part of each image. As text: a name, `top,left,bottom,right` as shares of the height and width that the network
    sees, the file of a mask for all photos, or a folder with one for each, under its name. White is inside.
    """

    written, format = "REGION", "region"
    said: str
    boxes: tuple[Box, ...] = ()
    masks: NDArray[Any] | None = field(default=None, repr=False)
    """(H, W) for all images, or (N, H, W) in their order, in their own pixels."""

    @classmethod
    def of(cls, value: RegionsLike) -> Regions:
        """From text, a path, or an array of a mask or of one for each image. PellucidError in one line."""
        if isinstance(value, Regions):
            return value
        if isinstance(value, (Tensor, np.ndarray, list, tuple)) and not _four(value):
            masks = np.asarray(value.cpu() if isinstance(value, Tensor) else value)
            if masks.ndim not in (2, 3):
                raise PellucidError(f"masks of shape {masks.shape}: (H, W) for all images, or (N, H, W)")
            return cls(f"{masks.shape[0] if masks.ndim == 3 else 1} masks in memory", masks=masks)
        if _four(value):
            return cls(",".join(f"{one:g}" for one in value), (_box(value),))  # type: ignore[union-attr]
        text = str(value).strip()
        name = text.replace("_", " ")
        if name in NAMED:
            return cls(name, NAMED[name])
        parts = text.split(",")
        if len(parts) == 4:
            try:
                return cls(text, (_box([float(part) for part in parts]),))
            except ValueError:
                pass_on = PellucidError(f"{text!r}: a box is top,left,bottom,right, each a share from 0 to 1")
                raise pass_on from None
        if not Path(text).expanduser().exists():
            raise unknown("region", text, [*NAMED, "top,left,bottom,right", "the path of masks"])
        return cls(text)

    def __str__(self) -> str:
        return self.said

    @property
    def identity(self) -> str:
        """The text; of masks in memory and in files their bytes or times."""
        if self.masks is not None:
            return hashlib.sha256(np.ascontiguousarray(self.masks).tobytes()).hexdigest()
        stamps = [] if self.boxes else [[str(one), one.stat().st_mtime_ns, one.stat().st_size] for one in self._files]
        return json.dumps([self.said, self.boxes, stamps])

    def plain(self) -> Any:
        """Its text."""
        return super().plain() if self.masks is not None else self.said

    @property
    def same(self) -> bool:
        """Whether it is at one place in all images, whatever their size."""
        return bool(self.boxes)

    def mask(self, net: Net, image: Images, i: int) -> Mask | None:
        """(H, W) of image i, read and not yet prepared, at the pixels that the network sees; None where it has none."""
        seen = net.prepare(image).pictures[0]
        size = int(seen.shape[-2]), int(seen.shape[-1])
        if self.boxes:
            return drawn(self.boxes, size)
        found = self._drawn(image.ids[0], i)
        if found is None:
            return None
        whole = image.pictures[0]
        drawn_ = torch.from_numpy(np.ascontiguousarray(found > found.max() / 2 if found.max() > 1 else found > 0.5))
        fitted = F.interpolate(drawn_[None, None].double(), tuple(whole.shape[-2:]), mode="nearest")[0]
        picture = fitted.to(torch.float32).expand(whole.shape[0], -1, -1).contiguous()
        cut = net.prepare(replace(Images.from_pictures([picture], image.ids), cut_by=image.cut_by))
        return np.asarray(cut.pictures[0][0].cpu().numpy() > 0.5)

    def _drawn(self, name: str, i: int) -> NDArray[Any] | None:
        if self.masks is not None:
            if self.masks.ndim == 3 and i >= len(self.masks):
                raise PellucidError(f"{len(self.masks)} masks, and none for image {i}, {name!r}")
            return self.masks if self.masks.ndim == 2 else self.masks[i]
        path = self._files[0] if is_picture(self.said) else self._by_name.get(Path(name).stem)
        if path is None:
            return None
        return np.asarray(Images.of(path).pixels[0].amax(0).numpy())

    @cached_property
    def _files(self) -> list[Path]:
        place = Path(self.said).expanduser()
        return sorted(one for one in place.rglob("*") if is_picture(str(one))) if place.is_dir() else [place]

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        found = {one.stem: one for one in self._files}
        if len(found) < len(self._files):
            raise PellucidError(f"{self.said}: two masks have one name, so that it is not known whose they are")
        return found


RegionsLike: TypeAlias = Regions | str | Path | Tensor | NDArray[Any] | Sequence[float | int]
"""A region by name, box or path, or masks in memory."""


def drawn(boxes: tuple[Box, ...], size: tuple[int, int]) -> Mask:
    """(H, W) whether a pixel's middle lies in one of the boxes."""
    y, x = ((np.arange(n) + 0.5) / n for n in size)
    found = np.zeros(size, bool)
    for top, left, bottom, right in boxes:
        found |= ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]
    return found


def share(heat: NDArray[np.float64], mask: Mask) -> float:
    """Of the absolute values of a map (H, W) what lies inside; NaN for a map of zeros."""
    whole = np.abs(heat)
    total = whole.sum()
    return float(whole[mask].sum() / total) if total > 0 else float("nan")


def _four(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 4 and all(isinstance(one, (int, float)) for one in value)


def _box(value: Any) -> Box:
    top, left, bottom, right = (float(one) for one in value)
    if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
        raise PellucidError(f"box {top:g},{left:g},{bottom:g},{right:g}: top,left,bottom,right, shares from 0 to 1")
    return top, left, bottom, right


def _given(value: RegionsLike) -> Any:
    if not isinstance(value, (str, Path, Tensor, np.ndarray, tuple, list)):
        return value
    try:
        return Regions.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


RegionsOption = Annotated[InstanceOf[Regions], BeforeValidator(_given)]
"""An option that takes a part of each image."""
