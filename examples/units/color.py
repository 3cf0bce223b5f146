"""Color coding: which layers care about color, and about which colors?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

layers = pl.units.color(index, layers=("act1", "blocks.1.1.act1", "blocks.3.0.act1"), count=15, max_units=32)
print({one.layer: one.share(layers.threshold) for one in layers.layers})

pl.draw(layers).save("color.png")
