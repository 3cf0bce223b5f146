"""Gradient × input: the first-order share of every pixel in the score."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

heat = pl.attribution.gradient_times_input(net, photo)
print(f"the map sums to {heat.array.sum():.2f}, the score is {heat.meta.score[0]:.2f}; the rest is the biases'")

pl.draw(heat, over=photo).save("gradient_times_input.png")
