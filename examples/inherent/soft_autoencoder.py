"""Soft autoencoder: more noise, a higher threshold: one network, turned by hand."""

import pellucid as pl

net = pl.load("bundled")
photos = pl.Data.of("samples").subset(30, seed=0)

found = pl.inherent.soft_autoencoder(net, photos, patches=300)
print("\n".join(found.findings))

pl.draw(found).save("soft_autoencoder.png")
