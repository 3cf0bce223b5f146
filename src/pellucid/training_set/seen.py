"""Many images, looked at once: what a network makes of each, a small picture, its bytes, how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt64
from numpy.typing import NDArray

from pellucid.errors import BadImage, PellucidError
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.images.sources.folder import PARTS
from pellucid.index import Index
from pellucid.index.folds.thumbnails import framed
from pellucid.index.thumbnails import shrunk
from pellucid.notes import Note, say
from pellucid.progress import steps
from pellucid.training_set.alignment import SIDE
from pellucid.training_set.descriptors import descriptor
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.spoiled import Looks, looks

READ = 5000
"""Images of an index that are read again, to see them as the network does; of more the thumbnails are looked at."""


@dataclass(frozen=True, eq=False)
class Seen:
    """N images, in memory only what is needed of all: features, small pictures, hashes."""

    features: Float32[np.ndarray, "n f"]
    names: tuple[str, ...]
    labels: Int64[np.ndarray, " n"]
    """Among the classes of the examples; −1 where unknown."""
    small: UInt8[np.ndarray, "n s s 3"]
    """As the network sees them, 32 pixels along a side."""
    hashes: UInt64[np.ndarray, " n"]
    """Of their bytes; 0 where unknown."""
    looks: tuple[Looks, ...]
    sizes: tuple[tuple[int, int] | None, ...]
    """(height, width) of the files; None where they were not read."""
    read_at: int
    """Pixels along a side of what was looked at."""
    show: Callable[[int, int], UInt8[np.ndarray, "side side 3"]]
    """show(row, side): a picture of an image."""
    image: Callable[[int], Images | None]
    """The image of a row, read; None where it cannot be."""

    def __len__(self) -> int:
        return len(self.names)

    def described(self) -> Float32[np.ndarray, "n g"]:
        """(N, G) HOG of the small pictures: what nothing that was learned can have put into them."""
        return np.stack([descriptor(one, "hog") for one in steps(self.small, "pictures described")])


def same(one: Images | None, other: Images | None) -> bool:
    """Whether two images have the same pixels, as they were read."""
    if one is None or other is None:
        return False
    a, b = one.originals[0], other.originals[0]
    return bool(a.shape == b.shape and a.dtype == b.dtype and (a == b).all())


def of_index(index: Index, examples: Examples) -> Seen:
    """The images of an index that its examples are of, each read once where there are no more than 5,000; else its
    thumbnails are looked at, where it keeps any."""
    numbers = examples.numbers
    kept = index.kept_thumbnails
    reading = len(numbers) <= READ or kept is None
    small = np.zeros((len(numbers), SIDE, SIDE, 3), np.uint8)
    looked, sizes = list[Looks](), list[tuple[int, int] | None]()
    for row, i in enumerate(steps(numbers.tolist(), "pictures looked at")):
        found = index.readable(i) if reading else None
        if found is not None:
            picture = index.net.prepare(found).shown(0, seen=True)
            sizes.append((int(found.originals[0].shape[-2]), int(found.originals[0].shape[-1])))
        else:
            thumb = None if kept is None else kept.of(i)
            picture = np.full((SIDE, SIDE, 3), 127, np.uint8) if thumb is None else thumb
            sizes.append(None)
        small[row] = framed(picture, SIDE)
        looked.append(looks(picture))
    side = max(index.image_size) if reading else kept.side if kept else SIDE
    if not reading:
        say(Note("choice", f"{len(numbers)} images are too many to read again: darkness, blur and copies were looked "
                 f"for in the index's thumbnails of {side} pixels, where only a strong blur shows, and sizes of files "
                 "were not looked at"))  # fmt: skip

    def show(row: int, wanted: int) -> UInt8[np.ndarray, "side side 3"]:
        return np.asarray(index.thumbnails([int(numbers[row])], wanted)[0])

    return Seen(
        examples.features, examples.names, examples.labels, small, index.hashes(numbers), tuple(looked), tuple(sizes),
        side, show,
        lambda row: index.readable(int(numbers[row])),
    )  # fmt: skip


def of_photos(photos: ImageSet, examples: Examples, index: Index) -> Seen:
    """Photos that are in no index, each read and shown to the network once. Those that cannot be read are left out and
    noted; PellucidError where none can.
    """
    net, source = index.net, photos.on(index.net).source
    rows, features, digests, small = list[int](), list[np.ndarray](), list[int](), list[np.ndarray]()
    looked, sizes = list[Looks](), list[tuple[int, int] | None]()
    for i in steps(range(len(source)), "test images"):
        try:
            found, digest = source.fetch(i)
        except (BadImage, OSError) as error:
            say(Note("unreadable", f"a test image is left out: {error}"))
            continue
        rows.append(i)
        features.append(examples.read(found))
        digests.append(digest)
        picture = net.prepare(found).shown(0, seen=True)
        small.append(framed(picture, SIDE))
        looked.append(looks(picture))
        sizes.append((int(found.originals[0].shape[-2]), int(found.originals[0].shape[-1])))
    if not rows:
        raise PellucidError(f"test={str(photos)!r}: none of its {len(source)} images can be read")

    def image(row: int) -> Images | None:
        try:
            return source.read(rows[row])
        except (BadImage, OSError):
            return None

    return Seen(
        np.concatenate(features).astype(np.float32), tuple(source.name(i) for i in rows),
        _labels(source, rows, examples), np.stack(small), np.array(digests, np.uint64), tuple(looked), tuple(sizes),
        max(index.image_size),
        lambda row, side: shrunk(net, image(row), side), image,
    )  # fmt: skip


def _labels(source: object, rows: list[int], examples: Examples) -> NDArray[np.int64]:
    """Classes of photos among those of the examples, by name; −1 where there is none of that name."""
    names = getattr(source, "classes", ())
    place = {name: examples.classes.index(name) for name in names if name in examples.classes}
    numbers = [source.label(i) for i in rows]  # type: ignore[attr-defined]
    return np.array([-1 if one is None or not names else place.get(names[one], -1) for one in numbers], np.int64)


def of_test(test: Index | ImageSet, examples: Examples, index: Index) -> Seen:
    """What is held against the training images: an index of the same network, or photos. PellucidError for an index
    that was made with another network, or of another layer."""
    if isinstance(test, ImageSet):
        return of_photos(test, examples, index)
    if test.weights != index.weights:
        raise PellucidError(
            f"test={test.title!r} was made with another network than {index.title!r}: name the photos themselves, or "
            "make its index with the same network"
        )
    others = examples_of(test)
    if others.layer != examples.layer or others.features.shape[1] != examples.features.shape[1]:
        raise PellucidError(
            f"test={test.title!r} holds {others.layer or 'no layer'}, {index.title!r} {examples.layer or 'no layer'}: "
            "make both with the same --embed, or name the photos themselves"
        )
    return replace(of_index(test, others), labels=_named_alike(others, examples))


def _named_alike(others: Examples, examples: Examples) -> NDArray[np.int64]:
    """The classes of other examples among those of these, by name; −1 where these have none of that name."""
    place = {name: k for k, name in reversed([*enumerate(examples.classes)])}
    number = np.array([place.get(name, -1) for name in others.classes] + [-1], np.int64)
    found: NDArray[np.int64] = number[others.labels]  # −1 is the last
    return found


def part_of(name: str) -> str:
    """The part of a data set that a file is in, by the folders of its name: train, val, test …; "" where none is."""
    for folder in PurePosixPath(name.replace("\\", "/")).parts[:-1]:
        if folder.lower() in PARTS:
            return folder.lower()
    return ""
