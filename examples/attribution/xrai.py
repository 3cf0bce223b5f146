"""XRAI: the regions of the photo that speak most for the class."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.xrai(net, photo, steps=24)
strongest = heat.array[0] == heat.array.max()
print(f"the strongest region is {strongest.mean():.1%} of the picture")

pl.draw(heat, over=photo).save("xrai.png")
