"""Sobol indices: which cells make the score vary when the picture is mixed with gray?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.sobol(net, photo, grid=4, samples=16)
print(f"the strongest cell has a part in {heat.array.max():.0%} of the variance")

pl.draw(heat, over=photo).save("sobol.png")
