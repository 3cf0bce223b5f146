"""Activation atlas: what can a layer see, and which classes does it speak for?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
index = pl.units.index(net, "samples", store="small.index")

# finer, of many photos: grid=20, steps=512
seen = pl.representation.atlas(index, layer="blocks.5", grid=4, steps=32)
print(seen, seen.classes[0])

pl.draw(seen).save("atlas.png")
