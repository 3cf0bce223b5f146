"""Guided integrated gradients: a way from black to the photo that keeps clear of high gradients."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.guided_integrated_gradients(net, photo, steps=60)
print(f"completeness error {heat.meta.completeness[0]:.1%} after {heat.meta.options['steps']} steps")

pl.draw(heat, over=photo).save("guided_integrated_gradients.png")
