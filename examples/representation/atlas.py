"""Activation atlas: what can a layer see, and which classes does it speak for?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

# finer, of many photos: grid=20, steps=512
seen = pl.representation.atlas(index, layer="blocks.5", grid=5, steps=48)
print(seen, seen.classes[0])

pl.draw(seen).save("atlas.png")
