"""Integrated gradients: the score shared out over the pixels, with the error of the sharing measured."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.integrated_gradients(net, photo, steps=56)
print(f"completeness error {heat.meta.completeness[0]:.2%} with at most {heat.meta.options['steps']} gradients")

pl.draw(heat, over=photo).save("integrated_gradients.png")
