"""Occlusion, rank: how far back does the class fall when a place is hidden?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

rank = pl.attribution.occlusion_rank(net, photo, size=64, stride=32)
print(f"{rank.meta.target} stays first under {(rank.array == 0).mean():.0%} of the covers")

pl.draw(rank, over=photo).save("occlusion_rank.png")
