"""Influence: which photos made the network take a painting for what it says, and which stood against that?"""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
# of your own: the index of the images that your network has learned from
index = pl.units.index(net, "samples", store="small.index")

made = pl.examples.influence(index, "sample:starry_night")
for row, said in zip(made.rows, made.said[0], strict=True):
    print(f"{row}: {said}")

pl.draw(made).save("influence.png")
