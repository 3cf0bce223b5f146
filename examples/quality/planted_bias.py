"""Planted bias: a network has learned that a bright corner means a three. Which maps show it, and what repairs it?"""

import pellucid as pl

# the network that is named here does not matter: two small ones are trained, one of which uses the tag
found = pl.quality.planted_bias("bundled", of="grad_cam,gradient", digits=12)
print(*found.findings, sep="\n")

pl.draw(found).save("planted_bias.png")
