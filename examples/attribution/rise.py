"""RISE: which places do random masks have to show?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.rise(net, photo, "p(giant panda)", samples=200)
print(f"gain up to {heat.array.max():.2f} of probability, standard error {heat.error.mean():.2f}")

pl.draw(heat, over=photo).save("rise.png")
