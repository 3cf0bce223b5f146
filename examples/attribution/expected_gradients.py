"""Expected gradients: each pixel's share in what sets this photo apart from others."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.expected_gradients(net, photo, samples=80)
error = heat.meta.completeness[0]
print(f"the map sums to {heat.array.sum():.2f} of a score of {heat.meta.score[0]:.2f}, off by {error:.0%}")

pl.draw(heat, over=photo).save("expected_gradients.png")
