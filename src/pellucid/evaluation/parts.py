"""Parts of images, by name, as a box, or drawn as a mask in files; and the share of a map inside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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

from pellucid.data import Data
from pellucid.errors import BadImage, PellucidError, unknown
from pellucid.evaluation.background import background
from pellucid.evaluation.called import Called
from pellucid.evaluation.lettering import lettering
from pellucid.evaluation.marks import Marks
from pellucid.evaluation.things import Mask
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.images.files import is_picture
from pellucid.net import Net
from pellucid.nouns import Noun
from pellucid.progress import steps

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
SEEN: dict[str, Callable[[NDArray[Any]], Mask]] = {
    "text": lambda pixels: lettering(pixels.mean(-1)),
    "background": background,
}
"""Parts that are looked for in each image, (H, W, 3) in 0..1."""
MARK, _OUTSIDE = "watermark", "outside "


@dataclass(frozen=True, eq=False)
class Regions(Noun):
    """A part of each image. As text: a name, `top,left,bottom,right` as shares of the height and width that the network
    sees, the file of a mask for all photos, or a folder with one for each, under its name. White is inside. Text and
    background are looked for in each photo, a watermark in all of a class; `outside REGION` is the rest of the photo.
    """

    written, format = "REGION", "region"
    said: str
    boxes: tuple[Box, ...] = ()
    masks: NDArray[Any] | None = field(default=None, repr=False)
    """(H, W) for all images, or (N, H, W) in their order, in their own pixels."""
    common: Mapping[int, Mask | None] = field(default_factory=dict, repr=False)
    """What images of one class have in common, by their numbers; see `over`."""
    by_image: Mapping[int, Path] = field(default_factory=dict, repr=False)
    """The file of each image's mask, by its number; see `over`."""
    outside: bool = False
    """Whether the rest of the image is meant."""

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
        if name.startswith(_OUTSIDE):
            rest = cls.of(text[len(_OUTSIDE) :])
            return replace(
                rest, said=rest._bare if rest.outside else f"{_OUTSIDE}{rest.said}", outside=not rest.outside
            )
        if name in NAMED:
            return cls(name, NAMED[name])
        if name in SEEN or name == MARK:
            return cls(name)
        parts = text.split(",")
        if len(parts) == 4:
            try:
                return cls(text, (_box([float(part) for part in parts]),))
            except ValueError:
                pass_on = PellucidError(f"{text!r}: a box is top,left,bottom,right, each a share from 0 to 1")
                raise pass_on from None
        if not Path(text).expanduser().exists():
            raise unknown(
                "region", text, [*NAMED, *SEEN, MARK, f"{_OUTSIDE}REGION", "top,left,bottom,right", "the path of masks"]
            )
        return cls(text)

    def __str__(self) -> str:
        return self.said

    @property
    def identity(self) -> str:
        """The text; of masks in memory and in files their bytes or times."""
        drawn = {-1: self.masks} if self.masks is not None else self.common
        if drawn:
            digest = hashlib.sha256(self.said.encode())
            for number, mask in drawn.items():
                digest.update(f"{number} {None if mask is None else mask.shape}".encode())
                digest.update(b"" if mask is None else np.ascontiguousarray(mask).tobytes())
            return digest.hexdigest()
        known = self.boxes or self._bare in (*SEEN, MARK)
        files = [] if known else self._files.values() if self._in_folder else [Path(self._bare).expanduser()]
        return json.dumps(
            [self.said, self.boxes, [[str(one), one.stat().st_mtime_ns, one.stat().st_size] for one in files]]
        )

    def plain(self) -> Any:
        """Its text."""
        return super().plain() if self.masks is not None else self.said

    @property
    def same(self) -> bool:
        """Whether it is at one place in all images, whatever their size."""
        return bool(self.boxes)

    def mask(self, net: Net, image: Images, i: int) -> Mask | None:
        """(H, W) of image i, read and not yet prepared, at the pixels that the network sees; None where it has none."""
        found = self._inside(net, image, i)
        return found if found is None or not self.outside else ~found

    def over(
        self,
        net: Net,
        images: ImageSet | Data,
        numbers: Sequence[int] | NDArray[Any],
        labels: NDArray[Any] | None = None,
    ) -> Regions:
        """Itself, knowing which file of a folder is about which image; where a watermark is meant, as it is found in
        these images, in those of each label by themselves. PellucidError where a file may be about two images."""
        if self._in_folder:
            names = [images.name(i) for i in range(len(images))]
            own = Called(self._files, self.said, folders=True).one_each(names)
            files = {i: self._files[own[name]] for i, name in enumerate(names) if name in own}
            return replace(self, by_image=files)
        if self._bare != MARK:
            return self
        seen: dict[int, Marks] = {}
        for i in steps(numbers, MARK):
            with suppress(BadImage):
                one = np.asarray(net.prepare(images.image(int(i))).pictures[0].double().mean(0).cpu())
                seen.setdefault(0 if labels is None else int(labels[i]), Marks()).add(one)
        found = {label: marks.mask() for label, marks in seen.items()}
        return replace(self, common={int(i): found.get(0 if labels is None else int(labels[i])) for i in numbers})

    def _inside(self, net: Net, image: Images, i: int) -> Mask | None:
        seen = net.prepare(image).pictures[0]
        size = int(seen.shape[-2]), int(seen.shape[-1])
        if self._bare == MARK:
            mark = self.common.get(i)
            return mark if mark is not None and mark.shape == size else None  # else it was found in images of another
        if self.boxes:
            return drawn(self.boxes, size)
        if self._bare in SEEN:
            mask = SEEN[self._bare](_as_colors(seen))
            return mask if mask.any() else None
        found = self._drawn(i)
        if found is None:
            return None
        whole = image.pictures[0]
        drawn_ = torch.from_numpy(np.ascontiguousarray(found > found.max() / 2 if found.max() > 1 else found > 0.5))
        fitted = F.interpolate(drawn_[None, None].double(), tuple(whole.shape[-2:]), mode="nearest")[0]
        picture = fitted.to(torch.float32).expand(whole.shape[0], -1, -1).contiguous()
        cut = net.prepare(replace(Images.from_pictures([picture], image.ids), cut_by=image.cut_by))
        return np.asarray(cut.pictures[0][0].cpu().numpy() > 0.5)

    def _drawn(self, i: int) -> NDArray[Any] | None:
        if self.masks is not None:
            if self.masks.ndim == 3 and i >= len(self.masks):
                raise PellucidError(f"{len(self.masks)} masks, and none for image {i}")
            return self.masks if self.masks.ndim == 2 else self.masks[i]
        path = self.by_image.get(i) if self._in_folder else Path(self._bare).expanduser()
        return None if path is None else np.asarray(Images.of(path).pixels[0].amax(0).numpy())

    @property
    def _bare(self) -> str:
        """Its name or path."""
        return self.said.removeprefix(_OUTSIDE)

    @property
    def _in_folder(self) -> bool:
        known = self.boxes or self.masks is not None or self._bare in SEEN or self._bare == MARK
        return not known and Path(self._bare).expanduser().is_dir()

    @cached_property
    def _files(self) -> dict[str, Path]:
        """The masks of a folder, by their names in it."""
        place = Path(self._bare).expanduser()
        return {one.relative_to(place).as_posix(): one for one in sorted(place.rglob("*")) if is_picture(str(one))}


def _as_colors(pixels: Tensor) -> NDArray[np.float64]:
    """(H, W, 3) in 0..1; of other than three channels their mean, three times."""
    three = pixels if len(pixels) == 3 else pixels.mean(0, keepdim=True).expand(3, -1, -1)
    return np.ascontiguousarray(three.permute(1, 2, 0).double().clamp(0, 1).cpu().numpy())


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
