"""Inversion: what does a layer still know of the photo?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

kept = pl.synthesis.inversion(net, photo, steps=60)
for layer, error in zip(kept.names, kept.facts["error"], strict=True):
    print(f"{layer}: cannot tell its picture from the photo, but for {error:.1%}")

pl.draw(kept).save("inversion.png")
