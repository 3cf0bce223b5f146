"""The grid pointing game: four photos in a mosaic. Does the map find the one that it is asked about?"""

import pellucid as pl

net = pl.load("bundled")

found = pl.localization.grid_pointing(net, "samples", of="grad_cam,gradient", count=6, size="input")
for row in found["ranking"].rows:
    print(f"{row['method']}: {row['localization']:.0%} of the map lies in the right photo")

pl.draw(found).save("grid_pointing.png")
