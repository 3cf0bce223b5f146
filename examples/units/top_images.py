"""Top images: which places of which pictures excite a unit most, over a whole data set?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

best = pl.units.top_images(index, "blocks.3.2.act1:57")
print(best.values, best.names)

pl.draw(best).save("top_images.png")
