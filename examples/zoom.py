"""A dream that zooms: what the network sees is enlarged a little, and seen again; as a film, and how it ends."""

import numpy as np
from PIL import Image

import pellucid as pl

SIDE, EDGE, ROUNDS = 256, 8, 24  # pixels; pixels cut off on each side every time; dreams

net = pl.load("bundled")
pixels = pl.read("sample:rocket").pictures[0].permute(1, 2, 0).numpy()
picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)

with pl.film("zoom.gif", seconds=8):  # every step of every dream is a frame, as far as the film has room
    for _ in range(ROUNDS):
        seen = pl.read(np.asarray(picture))
        dream = pl.synthesis.deepdream(net, seen, "energy(blocks.4)", octaves=1, steps=4, rate=3)
        picture = Image.fromarray(dream.pixels[0]).crop((EDGE, EDGE, SIDE - EDGE, SIDE - EDGE))
        picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)

pl.draw(dream).save("zoom.png")
