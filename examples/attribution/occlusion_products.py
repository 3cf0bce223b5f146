"""Occlusion, all products: probability, response, answer and rank, from one pass for each cover."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

panel = pl.attribution.occlusion_products(net, photo, size=64, stride=32)
print("with the worst cover, classes ahead of it:", int(panel["rank"].values.max()))

pl.draw(panel, over=photo).save("occlusion_products.png")
