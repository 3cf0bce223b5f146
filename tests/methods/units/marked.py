"""Pictures with masks: colored rectangles on gray noise, and which pixels they are."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

COLORS = {"red": (230, 30, 30), "green": (30, 210, 40), "blue": (30, 40, 230)}


def painted(folder: Path, count: int = 12, size: tuple[int, int] = (36, 48), seed: int = 0) -> Path:
    """images/, masks/ and classes.csv; each picture has one or two rectangles."""
    chance = np.random.default_rng(seed)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        pixels = chance.integers(90, 140, (*size, 1)).repeat(3, axis=2).astype(np.uint8)
        mask = np.zeros(size, np.uint8)
        for k in range(1 + i % 2):
            number = (i + k) % len(COLORS)
            top, left = (int(chance.integers(0, side // 2)) for side in size)
            high, wide = (int(chance.integers(side // 4, side // 2)) for side in size)
            mask[top : top + high, left : left + wide] = number + 1
            pixels[top : top + high, left : left + wide] = tuple(COLORS.values())[number]
        Image.fromarray(pixels).save(folder / "images" / f"{i:03d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{i:03d}.png")
    rows = [f"{i},{name},color" for i, name in enumerate(COLORS, start=1)]
    (folder / "classes.csv").write_text("\n".join(["number,name,category", *rows]))
    return folder


@functools.cache
def marked() -> str:
    """Such a folder, made once for each process."""
    folder = Path(tempfile.mkdtemp(prefix="pellucid-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(painted(folder / "marked"))
