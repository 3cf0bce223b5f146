"""Excitation backprop: how often a winner that walks down from the class passes each place."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.excitation_backprop(net, photo, contrastive=False)
print(f"the probabilities sum to {heat.array.sum():.3f}")

pl.draw(heat, over=photo).save("excitation_backprop.png")
