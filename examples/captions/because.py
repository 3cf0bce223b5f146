"""Because: why a panda? A sentence made of what the network's units detect. Here the concepts are colors."""

from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pl

# images, and masks of class numbers; of your own: any folder with images/, masks/ and classes.csv
for part in ("images", "masks"):
    Path("tones", part).mkdir(parents=True, exist_ok=True)
Path("tones/classes.csv").write_text("1,dark\n2,white\n3,green\n4,warm\n")
for name in pl.images.samples():
    pixels = pl.read(f"sample:{name}").pictures[0].permute(1, 2, 0).numpy()
    red, green, blue = np.moveaxis(pixels.astype(int), 2, 0)
    rules = [pixels.max(2) < 60, pixels.min(2) > 170, green > np.maximum(red, blue) + 12, red > blue + 60]
    Image.fromarray(pixels).save(f"tones/images/{name}.png")
    Image.fromarray(np.select(rules, [1, 2, 3, 4]).astype(np.uint8)).save(f"tones/masks/{name}.png")

net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
index = pl.units.index(net, "samples", store="small.index")
found = pl.captions.because(index, ["sample:panda", "sample:koala"], concepts="tones", layer="blocks.4.0.act1")
for sentence in found.sentences:
    print(sentence)

pl.draw(found).save("because.png")
