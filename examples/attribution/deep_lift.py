"""DeepLIFT: the difference of two scores, shared out by what differs between two pictures."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.deep_lift(net, photo, baseline="blur")
print(f"the shares miss the difference of the scores by {heat.meta.completeness[0]:.1e} of it")

pl.draw(heat, over=photo).save("deep_lift.png")
