"""Map: where do the pictures of a data set lie in what a network makes of them, and how wrong is the map?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

where = pl.representation.map(index, perplexity=20)
print(where, where.quality)

pl.draw(where).save("map.png")
pl.draw(where).save("map.html")  # to be explored: zoom, search, lasso, the same as a full grid
