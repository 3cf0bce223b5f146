"""Pruning: how many of its weights does a network need?"""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
windows = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.training.pruning(net, windows.subset(8, seed=1), kept=(0.8, 0.5), controls=1)
for line in found.findings:
    print(line)

pl.draw(found).save("pruning.png")
