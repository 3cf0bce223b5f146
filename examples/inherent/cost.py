"""Cost: what does it cost to build a network so that its answers can be read?"""

import pellucid as pl

net = pl.load("bundled")
photos = pl.Data.of("samples").subset(140, seed=0)

found = pl.inherent.cost(net, photos, repeats=1, recipe="epochs=20")
print("\n".join(found.findings))

pl.draw(found).save("cost.png")
