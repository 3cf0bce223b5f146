"""Modular network: what does each place of an image add to the answer?"""

import pellucid as pl

net = pl.load("bundled")
photos = pl.Data.of("samples").subset(140, seed=0)

found = pl.inherent.modular(net, photos, layers=("blocks.2", "blocks.6"), recipe="epochs=20")
print("\n".join(found.findings))

pl.draw(found).save("modular.png")
