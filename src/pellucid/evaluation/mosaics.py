"""Mosaics of four photos of different classes: where a class is in them is known without anybody's boxes."""

from __future__ import annotations

import json

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import BadImage, PellucidError
from pellucid.evaluation.judged import Case, Cases, asked_about
from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats, View
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.notes import Note, say
from pellucid.resume import Coordinates, kept, measured_at
from pellucid.rng import generator
from pellucid.target import BEST, Logit, Probability

CELLS = 4
_COLUMNS = 2


class Mosaics(Cases):
    """`count` mosaics of 2 × 2 photos, each classified with at least some confidence, all four as another class (as far
    as there are four). One is asked about: the first in the first mosaic, the second in the second, and so on.
    """

    def __init__(self, net: Net, images: ImageSet, count: int, confidence: float, halved: bool, seed: int) -> None:
        super().__init__(net, images)
        self.halved, self.parts = halved, (count, confidence, halved, seed)
        answers = self._answers()
        known = np.isfinite(answers[:, 0])
        sure = np.flatnonzero(known & (np.nan_to_num(answers[:, 1]) >= confidence))
        self.classes: dict[int, int] = {int(i): int(answers[i, 0]) for i in sure}
        self.of: dict[int, list[int]] = {}
        for i in sorted(self.classes, key=self.images.name):  # what is drawn does not depend on their order
            self.of.setdefault(self.classes[i], []).append(i)
        if len(self.of) < 2:
            raise PellucidError(
                f"confidence={confidence:g}: {len(sure)} of {len(self.images)} images are classified with that "
                f"probability, as {len(self.of)} classes: two are needed, so give more images, or a lower confidence="
            )
        self.mosaics = [self._drawn(k, seed) for k in range(count)]
        say(Note("choice", f"{len(sure)} of {len(self.images)} images, of {len(self.of)} classes, are sure enough"))

    def _answers(self) -> Floats:
        """(N, 2) the best guess of each image, and its probability; NaN where it cannot be read."""

        def identity() -> str:
            return json.dumps(["best guess", self.net.identity, self.images.identity, machine(self.net)])

        def measure(at: Coordinates) -> Floats:
            try:
                image = self.net.prepare(self.images.item(int(at[0]))[0])
            except BadImage:
                return np.full(2, np.nan)
            run = self.net.run(image.pixels)
            named = BEST.fixed(run).class_asked
            if named is None or self.net.meaning.scores == "regression":
                raise PellucidError(f"the outputs of {self.net.name} are no classes: there are no photos of one")
            return np.array([_index(self.net, named), float(Probability(named)(run)[0])])

        places = [(float(i),) for i in range(len(self.images))]
        return np.stack(measured_at(kept(identity, measure), places, "confidence"))

    def _drawn(self, k: int, seed: int) -> tuple[int, ...]:
        """The photos of mosaic k, from the upper left to the lower right."""
        chance = generator(seed, "mosaic", str(k))
        first, *others = chance.permutation(sorted(self.of)).tolist()
        chosen = [others[j % len(others)] for j in range(CELLS - 1)]
        chosen.insert(k % CELLS, first)
        return tuple(self.of[one][int(chance.integers(len(self.of[one])))] for one in chosen)

    def __len__(self) -> int:
        return len(self.mosaics)

    def name(self, i: int) -> str:
        """The photo that is looked for, and the number of the mosaic."""
        return f"mosaic {i}: {self.images.name(self.mosaics[i][i % CELLS])}"

    @property
    def identity(self) -> str:
        """Of the photos, and how they are put together."""
        return json.dumps([super().identity, self.parts])

    def made(self, i: int) -> Case:
        """Mosaic i, asked about one of its photos."""
        cells = [self.net.prepare(self.images.item(one)[0]).pictures[0] for one in self.mosaics[i]]
        pixels = _put_together(cells, self.halved)
        view = View.whole(pixels.shape[-2], pixels.shape[-1])
        image = Images((pixels,), (self.name(i),), (pixels,), (view,), cut_by=self.net.preprocess)
        target = Logit(self.classes[self.mosaics[i][i % CELLS]])
        return asked_about(self.net, i, image, self.net.run(image.pixels), target)


def _index(net: Net, named: str | int) -> int:
    """The number of a class, which networks without labels call nothing else."""
    return named if isinstance(named, int) else net.class_index(named)


def _put_together(cells: list[Tensor], halved: bool) -> Tensor:
    """(C, 2H, 2W) of four pictures (C, H, W), or (C, H, W) of each at half its sides."""
    size = (cells[0].shape[1], cells[0].shape[2])
    if halved:
        cells = [_shrunk(one, which, size) for which, one in enumerate(cells)]
    return torch.cat([torch.cat(cells[k : k + _COLUMNS], dim=2) for k in range(0, CELLS, _COLUMNS)], dim=1)


def _shrunk(picture: Tensor, which: int, size: tuple[int, int]) -> Tensor:
    """A picture in the size of its cell."""
    sides = [part.stop - part.start for part in _place(size, which)]
    return F.interpolate(picture[None], sides, mode="bilinear", antialias=True)[0].clamp(0, 1)


def _place(size: tuple[int, int], which: int) -> tuple[slice, slice]:
    """Rows and columns of a cell; where a side is odd, the one in the middle belongs to the second."""
    row, column = divmod(which, _COLUMNS)
    return tuple(slice(k * n // 2, (k + 1) * n // 2) for k, n in ((row, size[0]), (column, size[1])))  # type: ignore[return-value]


def cell(size: tuple[int, int], which: int) -> Mask:
    """(H, W) the pixels of one of the four."""
    found = np.zeros(size, bool)
    found[_place(size, which)] = True
    return found
