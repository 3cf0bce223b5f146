"""LIME: a linear model of the score around the picture, in terms of which superpixels are shown."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

heat = pl.attribution.lime(net, photo, "espresso", samples=300)
print(f"the best superpixel is worth {heat.array.max():.2f} ± {heat.error.max():.2f} logits; {heat.meta.said[0]}")

pl.draw(heat, over=photo).save("lime.png")
