"""Calibration: is a network right as often as it says, and which temperature makes it so?"""

import pellucid as pl

net = pl.load("bundled")
classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
windows = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.training.calibration(net, windows, split="random", bins=8)
for line in found.findings:
    print(line)

pl.draw(found).save("calibration.png")
