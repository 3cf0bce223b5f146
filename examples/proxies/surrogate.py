"""Surrogate at a layer: which groups of channels of the last layer speak for a panda, and where they are active."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

found = pl.proxies.surrogate(net, photo, "giant panda")
print(found.meta.notes[-1])

pl.draw(found, photo).save("surrogate.png")
