"""What pictures are called: which rows of a table, or which files, are about which of many images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from pellucid.errors import PellucidError
from pellucid.images.files import is_picture


class Called:
    """Names in a table, or of files. One is about an image where both are the same but for a suffix, or one ends in the
    other, folder by folder: `cat/1` is `photos/cat/1.jpg` and not `dog/1.jpg`.
    """

    def __init__(self, names: Iterable[str], said: str, folders: bool = False) -> None:
        """`said` is how errors call them. With `folders` they lie in folders of their own, so that the folders may
        differ where the files are called the same: `labels/train/1.txt` is about `images/train/1.jpg`."""
        self._said, self._folders = said, folders
        self._by_tail: dict[str, list[str]] = {}
        for name in names:
            for tail in _tails(name):
                self._by_tail.setdefault(tail, []).append(name)

    def about(self, image: str) -> tuple[list[str], int]:
        """The names that may mean this image, those alone that have most of their path in common with it; and how many
        parts of it.
        """
        own = _tails(image)
        for tail in own:
            found = self._by_tail.get(tail, [])
            whole = [one for one in found if _tails(one)[0] == tail]
            if whole or (found and (self._folders or tail == own[0])):
                return whole or found, tail.count("/") + 1
        return [], 0

    def over(self, images: Sequence[str]) -> dict[str, list[str]]:
        """Image -> its names, of those that have some. A name means the image with which it has most in common;
        PellucidError where these are two.
        """
        if len(set(images)) < len(images):
            twice = next(one for one in images if list(images).count(one) > 1)
            raise PellucidError(f"two images are called {twice!r}, so that it is not known which {self._said} means")
        every = {image: self.about(image) for image in images}
        means = dict[str, tuple[int, list[str]]]()
        for image, (names, common) in every.items():
            for name in names:
                most, which = means.get(name, (0, []))
                means[name] = (common, [image]) if common > most else (most, [*which, *[image] * (common == most)])
        for name, (_, which) in means.items():
            if len(which) > 1:
                raise PellucidError(
                    f"{self._said}: {name!r} could be {which[0]!r} and {which[1]!r}: name images with their folders"
                )
        own = {image: [one for one in names if means[one][1] == [image]] for image, (names, _) in every.items()}
        return {image: names for image, names in own.items() if names}

    def one_each(self, images: Sequence[str], values: Mapping[str, object] | None = None) -> dict[str, str]:
        """Image -> its one name. PellucidError where several may be meant, unless all of them have one value."""
        found = self.over(images)
        for image, names in found.items():
            if len({name if values is None else values[name] for name in names}) > 1:
                raise PellucidError(f"{self._said}: {' and '.join(map(repr, names[:2]))} could both be {image!r}")
        return {image: names[0] for image, names in found.items()}


def _tails(name: str) -> list[str]:
    """A name without its suffix, then without the first folder, and so on: the file alone is the last."""
    parts = PurePosixPath(str(PurePosixPath(name).with_suffix("")) if is_picture(name) else name).parts
    return ["/".join(parts[k:]) for k in range(len(parts))] or [name]
