"""Gradient: which pixels, if changed a little, would change the score most?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.gradient(net, photo)
print(f"{heat.meta.target}: the strongest pixel moves the score by {heat.array.max():.2f} per full range")

pl.draw(heat, over=photo).save("gradient.png")
