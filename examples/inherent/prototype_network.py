"""Prototype network: "this looks like that", with patches of training images."""

import pellucid as pl

net = pl.load("bundled")

found = pl.inherent.prototype_network(net, "samples", each=1)
print("\n".join(found.findings))

pl.draw(found).save("prototype_network.png")
