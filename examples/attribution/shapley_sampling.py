"""Shapley sampling: superpixels enter the picture one after the other, in many random orders."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

heat = pl.attribution.shapley_sampling(net, photo, "espresso", permutations=6, antithetic=True)
print(f"the best superpixel's share is {heat.array.max():.1f} ± {heat.error.max():.1f} logits; {heat.meta.said[0]}")

pl.draw(heat, over=photo).save("shapley_sampling.png")
