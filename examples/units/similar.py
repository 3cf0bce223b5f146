"""Similar units: which other units, of any layer, do the same pictures excite?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

alike = pl.units.similar(index, "blocks.1.0.act2:95")
print(alike["unit"], alike["correlation"])

pl.draw(alike).save("similar.png")
