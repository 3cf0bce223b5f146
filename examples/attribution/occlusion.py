"""Occlusion: cover a place, and see how far the score falls."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

fall = pl.attribution.occlusion(net, photo, pl.target.Probability("espresso"), size=48, stride=32)
print(f"hiding the most important place costs {fall.array.max():.0%} of probability")

pl.draw(fall, over=photo).save("occlusion.png")
