"""Network dissection: which units detect which concepts? Here colors are the concepts, and a rule makes the masks."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage.color import rgb2hsv

import pellucid as pl

# pictures, and masks of class numbers; of your own: any folder with images/, masks/ and classes.csv
hues = {"red": (0.95, 0.04), "orange": (0.04, 0.12), "green": (0.19, 0.45), "blue": (0.5, 0.7)}
for part in ("images", "masks"):
    Path("colors", part).mkdir(parents=True, exist_ok=True)
Path("colors/classes.csv").write_text("\n".join(f"{i},{name}" for i, name in enumerate(hues, start=1)))
for name in pl.images.samples():
    photo = Image.fromarray(pl.read(f"sample:{name}").pictures[0].permute(1, 2, 0).numpy())
    hue, strong, light = np.moveaxis(rgb2hsv(np.asarray(photo.filter(ImageFilter.GaussianBlur(6)))), -1, 0)
    mask = np.zeros(hue.shape, np.uint8)
    for i, (low, high) in enumerate(hues.values(), start=1):
        near = (low <= hue) & (hue < high) if low < high else (low <= hue) | (hue < high)
        mask[near & (strong > 0.5) & (light > 0.25)] = i
    photo.save(f"colors/images/{name}.png")
    Image.fromarray(mask).save(f"colors/masks/{name}.png")

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
index = pl.units.index(net, "samples", store="small.index")
found = pl.units.dissection(index, concepts="colors", layers=["act1", "blocks.4.0.act1"], share=0.05, examples=6)
for line in found.findings:
    print(line)

pl.draw(found).save("dissection.png")
