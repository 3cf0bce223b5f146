"""Neighbors: which pictures does a network take for most like these?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

like = pl.representation.neighbors(index, ["sample:panda", "sample:palace_china", "sample:scarlet_macaw"])
print(like.values[:, 1], like.names[0][:3])

pl.draw(like).save("neighbors.png")
