"""Prototype network: "this looks like that", with patches of training images."""

import pellucid as pl

net = pl.load("bundled")
photos = pl.Data.of("samples").subset(140, seed=0)

found = pl.inherent.prototype_network(net, photos, each=1)
print("\n".join(found.findings))

pl.draw(found).save("prototype_network.png")
