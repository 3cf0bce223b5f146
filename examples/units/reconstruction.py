"""Reconstructions: what in its strongest pictures excites a unit? The figure of Zeiler and Fergus."""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

found = pl.units.reconstruction(index, "act2:77", count=9)  # deconvnet, guided or gradient: rule=
print(found.values.shape, found.patches.labels)

pl.draw(found).save("reconstruction.png")
