"""Pixels: which method tells the animal's pixels best from all others?"""

import pellucid as pl

net = pl.load("bundled")
photos = ["sample:panda", "sample:koala", "sample:polar_bear"]
animals = {
    "panda": [("giant panda", (80, 20, 318, 225))],
    "koala": [("koala", (35, 91, 244, 326))],
    "polar_bear": [("ice bear", (92, 93, 322, 221))],
}

found = pl.localization.pixels(net, photos, truth=animals, of="grad_cam,gradient")
for row in found["pixels"].rows:
    print(f"{row['method']}: average precision {row['precision']:.2f}")

pl.draw(found).save("pixels.png")
