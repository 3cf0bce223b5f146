"""Invariance: what may be done to a photo before a network answers something else?"""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
windows = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.training.invariance(net, windows.subset(12, seed=1))
for line in found.findings:
    print(line)

pl.draw(found).save("invariance.png")
