"""Guided backpropagation: the fine structure that argues for the score. ReLU6 included."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.guided_backprop(net, photo)
print("which rule met which operation, how often:", dict(heat.meta.coverage))

pl.draw(heat, over=photo).save("guided_backprop.png")
