"""Films of how pictures come to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.draw import film as films
from pellucid.draw.film import Film
from pellucid.errors import PellucidError
from pellucid.progress import preview


def frame(level: int, high: int = 20, wide: int = 30) -> np.ndarray:
    return np.full((high, wide, 3), level, np.uint8)


def test_a_gif_shows_the_steps_in_their_order(tmp_path: Path) -> None:
    with pl.film(tmp_path / "x.gif", seconds=1):
        for level in (0, 100, 250):
            preview(lambda shown=level: frame(shown))
    with Image.open(tmp_path / "x.gif") as made:
        assert made.n_frames == 3
        found = []
        for k in range(3):
            made.seek(k)
            found.append(int(np.asarray(made.convert("RGB")).mean()))
            assert made.info["duration"] in ({330, 340} if k < 2 else {1500})
        assert np.allclose(found, [0, 100, 250], atol=3)
        assert made.size == (30, 20)


def test_long_films_keep_frames_evenly_and_the_last_picture() -> None:
    made = Film(most=10)
    for level in range(200):
        made.add(frame(level, 2, 2))
    levels = [int(one[0, 0, 0]) for one in made.whole()]
    assert levels[0] == 0
    assert levels[-1] == 199
    assert len(levels) <= 12
    assert len({*np.diff(levels[:-1]).tolist()}) == 1  # evenly


def test_frames_are_kept_as_they_were_shown_and_one_size() -> None:
    made, canvas = Film(), frame(5)
    made.add(canvas)
    canvas[:] = 9
    made.add(np.zeros((40, 30, 1), np.uint8))
    first, second = made.whole()
    assert first.shape == second.shape == (40, 30, 3)
    assert (first[20] == 5).all()
    assert (first[0] == 255).all()  # beside a lower picture there is paper


def test_nothing_is_written_where_the_work_fails_or_shows_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), pl.film(tmp_path / "x.gif"):
        preview(lambda: frame(1 // 0))
    with pytest.raises(PellucidError, match="nothing showed unfinished pictures"), pl.film(tmp_path / "x.gif"):
        pass
    assert not [*tmp_path.iterdir()]


def test_files_that_cannot_be_are_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "_MP4", "no_such_module")
    for name, said in (
        ("x.avi", r"\.gif or \.mp4"),
        ("no/x.gif", "no folder"),
        ("x.mp4", r"OpenCV.*'x\.gif' needs no"),
    ):
        with pytest.raises(PellucidError, match=said), pl.film(tmp_path / name):
            pytest.fail("begun all the same")
    with pytest.raises(PellucidError, match="seconds=0"), pl.film(tmp_path / "x.gif", seconds=0):
        pytest.fail("begun all the same")


def test_an_mp4_is_read_back(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    with pl.film(tmp_path / "x.mp4", seconds=1):
        for level in range(0, 250, 25):
            preview(lambda shown=level: frame(shown, 32, 48))
    read, levels = cv2.VideoCapture(str(tmp_path / "x.mp4")), []
    while (found := read.read())[0]:
        levels.append(float(found[1].mean()))
    assert len(levels) == 10
    assert np.all(np.diff(levels) > 5)
