"""Blur integrated gradients: what the detail of the photo adds to the score of its blurred copy."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.blur_integrated_gradients(net, photo, sigma=20, steps=24)
print(f"detail adds {heat.array.sum():.2f} to the score, which is {heat.meta.score[0]:.2f}")

pl.draw(heat, over=photo).save("blur_integrated_gradients.png")
