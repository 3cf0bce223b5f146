"""Extremal perturbation: a tenth of the picture that is enough for the network."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

mask = pl.attribution.extremal_perturbation(net, photo, areas=(0.1,), steps=20)
print(mask.meta.said[0])

pl.draw(mask, over=photo).save("extremal_perturbation.png")
