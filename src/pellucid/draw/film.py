"""Films of how a picture came to be: `with pl.film("goldfish.gif"): pl.synthesis.activation_maximization(…)`.

Whatever shows unfinished pictures (`progress.preview`) can be filmed; a method knows nothing of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid import progress
from pellucid.errors import PellucidError
from pellucid.files import FILMS, write_atomically

_FRAMES = 90
"""The most frames of a film: a GIF of 224 × 224 pixels is then about 4 MB."""
_SIDE = 512
"""The longer side of a frame at most."""
_LAST = 1.5
"""Seconds that the finished picture stands before a GIF begins anew."""
_MP4 = "cv2"
"""OpenCV, by name: it is no dependency, and whoever has it can write MP4."""
_CODECS = ("vp09", "mp4v")
"""VP9, which browsers play; and where OpenCV has none, MPEG-4, which players do."""


class Film:
    """Frames as they come. Where there are too many every second is dropped, and from then on every second skipped."""

    def __init__(self, most: int = _FRAMES) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self._most, self._every, self._seen = max(most, 2), 1, 0
        self._last: NDArray[np.uint8] | None = None

    def add(self, picture: NDArray[np.uint8]) -> None:
        """One more (H, W, C), in 8 bits: gray, or colors."""
        self._last = picture = _colors(picture)
        if self._seen % self._every == 0:
            self.frames.append(picture)
        self._seen += 1
        if len(self.frames) > self._most:
            self.frames, self._every = self.frames[::2], 2 * self._every

    def whole(self) -> list[NDArray[np.uint8]]:
        """All frames, the last picture among them, each on a canvas of the largest height and width."""
        frames = [*self.frames]
        if self._last is not None and frames[-1] is not self._last:
            frames.append(self._last)
        high, wide = (max(one.shape[k] for one in frames) for k in (0, 1))
        shrink = min(1.0, _SIDE / max(high, wide))
        size = tuple(max(2 * round(side * shrink / 2), 2) for side in (wide, high))  # videos take even sides alone
        return [_fitted(one, size[0], size[1]) for one in frames]


@contextmanager
def film(file: str | Path, *, seconds: float = 6.0) -> Iterator[Film]:
    """Film what is made inside the `with` block into a .gif or .mp4 that lasts `seconds`.

    All unfinished pictures of this thread or task are frames, 90 at most. The file is written when the block ends, and
    not where it raises. Raises PellucidError for another suffix, for .mp4 without OpenCV, a folder that is not there,
    and where nothing showed an unfinished picture.
    """
    path = checked(file)
    if not 0 < seconds < 600:
        raise PellucidError(f"seconds={seconds}: a film lasts more than 0 and less than 600")
    made = Film()
    with progress.view(made.add):
        yield made
    if not made.frames:
        raise PellucidError(
            f"{path.name!r} was not written: nothing showed unfinished pictures; methods of synthesis that go by steps "
            "can be filmed, such as activation_maximization and deepdream"
        )
    frames = made.whole()
    write = _gif if path.suffix.lower() == ".gif" else _mp4
    data = write(frames, seconds)
    write_atomically(path, lambda out: out.write(data))


def checked(file: str | Path) -> Path:
    """Where a film goes; refused before anything is computed."""
    path = Path(file).expanduser()
    if path.suffix.lower() not in FILMS:
        raise PellucidError(f"a film is {' or '.join(FILMS)}, not {path.name!r}")
    if not path.parent.is_dir():
        raise PellucidError(f"cannot write {path.name!r}: there is no folder {str(path.parent)!r}")
    if path.suffix.lower() == ".mp4":
        try:
            import_module(_MP4)
        except ImportError:
            gif = path.with_suffix(".gif").name
            raise PellucidError(f"{path.name!r} needs OpenCV (opencv-python-headless); {gif!r} needs nothing") from None
    return path


def _gif(frames: Sequence[NDArray[np.uint8]], seconds: float) -> bytes:
    """Each frame with its own 255 colors: from noise to a picture no palette serves all."""
    with tempfile.SpooledTemporaryFile(1 << 26) as buffer:
        made = [Image.fromarray(one).quantize(255, Image.Quantize.FASTOCTREE) for one in frames]
        each = max(round(1000 * seconds / len(made)), 20)  # browsers slow down what is faster
        times = [each] * (len(made) - 1) + [max(each, round(1000 * _LAST))]
        made[0].save(buffer, "GIF", save_all=True, append_images=made[1:], duration=times, loop=0, disposal=1)
        buffer.seek(0)
        return buffer.read()


def _mp4(frames: Sequence[NDArray[np.uint8]], seconds: float) -> bytes:
    cv2: Any = import_module(_MP4)
    with tempfile.TemporaryDirectory() as folder:
        path, (high, wide) = str(Path(folder) / "film.mp4"), frames[0].shape[:2]
        speed, opened = max(len(frames) / seconds, 1.0), (cv2.VideoWriter() for _ in _CODECS)
        found = (
            one for code, one in zip(_CODECS, opened, strict=True)
            if one.open(path, cv2.VideoWriter_fourcc(*code), speed, (wide, high))
        )  # fmt: skip
        if (writer := next(found, None)) is None:
            raise PellucidError("this OpenCV cannot write MP4: name a .gif")
        for one in frames:
            writer.write(one[..., ::-1].copy())
        writer.release()
        return Path(path).read_bytes()


def _colors(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3), its own memory: whoever showed it may go on writing into it."""
    return np.array(picture[..., :3] if picture.shape[-1] >= 3 else picture[..., :1].repeat(3, axis=-1))


def _fitted(picture: NDArray[np.uint8], wide: int, high: int) -> NDArray[np.uint8]:
    """As large as fits in the middle of a white canvas."""
    if picture.shape[:2] == (high, wide):
        return picture
    share = min(wide / picture.shape[1], high / picture.shape[0])
    size = (min(max(round(picture.shape[1] * share), 1), wide), min(max(round(picture.shape[0] * share), 1), high))
    canvas = Image.new("RGB", (wide, high), "white")
    shown = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    canvas.paste(shown, ((wide - size[0]) // 2, (high - size[1]) // 2))
    return np.asarray(canvas)
