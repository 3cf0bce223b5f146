"""Pathways: from the photo of a koala through groups of units at two layers to the class."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:koala")

found = pl.blocks.pathways(net, photo, "koala", layers=("blocks.5.0.act1", "act2"), groups=3, points=8, steps=32)
for line in found.findings:
    print(line)

pl.draw(found).save("pathways.png")
