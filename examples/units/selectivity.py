"""Selectivity: does a unit care about color, class, orientation, symmetry, or shape?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

selective = pl.units.selectivity(index, "blocks.1.0.act2:95", step=30)
print(dict(zip(selective["index"], selective["value"], strict=True)))

pl.draw(selective).save("selectivity.png")
