"""Neuron feature: what do the patches that excite a unit have in common?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

mean = pl.units.neuron_feature(index, "blocks.1.0.act2:95")
print(mean.names, mean.facts)

pl.draw(mean).save("neuron_feature.png")
