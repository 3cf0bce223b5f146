"""Deconvnet: the score projected back to the pixels, as Zeiler & Fergus did."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.deconvnet(net, photo)

pl.draw(heat, over=photo).save("deconvnet.png")
