"""Regions that are found without masks: how many drawn words, how often in photos as they are, and what it takes.

python -m benchmarks.regions PHOTOS [--out FOLDER]   # a folder of photos, of which every eighth is looked at

With --out the photos in which text was found are written with it dimmed, to be looked at.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import pellucid as pl
from pellucid.evaluation.background import background
from pellucid.evaluation.lettering import lettering
from pellucid.net.preprocess import Preprocess

WORDS = ("SAMPLE", "www.photos.com", "Hippocampus", "© 2019", "left breast L", "stock image", "PORTABLE")
FONT = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"


def with_words(pixels: np.ndarray, words: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(the photo with words of 12 to 25 pixels at a random place, lighter or darker than it, where their box is)."""
    image = Image.fromarray((255 * pixels).astype(np.uint8))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, int(chance.integers(12, 26)))
    _, _, width, height = draw.textbbox((0, 0), words, font=font)
    x, y = (int(chance.integers(4, max(224 - one - 4, 5))) for one in (width, height))
    light = pixels[y : y + int(height), x : x + 60].mean() < 0.5
    draw.text((x, y), words, font=font, fill=(255,) * 3 if light else (0,) * 3)
    left, top, right, bottom = (int(one) for one in draw.textbbox((x, y), words, font=font))
    box = np.zeros(pixels.shape[:2], bool)
    box[top:bottom, left:right] = True
    return np.asarray(image) / 255, box


def main() -> None:
    """One pass over the photos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    chance, seen = np.random.default_rng(0), Preprocess(resize=256, crop=(224, 224))
    files = sorted(asked.photos.glob("*.jpg"))[::8]
    found, plain, seconds = [], [], np.zeros(2)
    for k, file in enumerate(files):
        pixels = seen.prepare(pl.read(str(file))).pixels[0].permute(1, 2, 0).double().numpy()
        start = time.process_time()
        mask = lettering(pixels.mean(-1))
        middle = time.process_time()
        background(pixels)
        seconds += middle - start, time.process_time() - middle
        plain.append(mask.any())
        if asked.out and mask.any():
            asked.out.mkdir(parents=True, exist_ok=True)
            shown = np.where(mask[..., None], pixels, pixels / 4)
            Image.fromarray((255 * shown).astype(np.uint8)).save(asked.out / f"{file.stem}.png")
        changed, box = with_words(pixels, WORDS[k % len(WORDS)], chance)
        found.append((lettering(changed.mean(-1)) & box).sum() / box.sum())
    shares = np.array(found)
    milliseconds = 1e3 * seconds / len(files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(files)} photos, words on each: half of the box or more is found on {(shares >= 0.5).mean():.2f}, "
          f"a tenth or more on {(shares >= 0.1).mean():.2f}")  # fmt: skip
    print(f"text in {sum(plain)} of the photos as they are; CPU milliseconds a photo: text {milliseconds[0]:.0f}, "
          f"background {milliseconds[1]:.0f}; peak {peak:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
