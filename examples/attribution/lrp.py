"""Layer-wise relevance propagation: the score handed back to the pixels in shares."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.lrp(net, photo, composite="epsilon_plus_flat")
print(", ".join(f"{met} × {times}" for met, times in heat.meta.coverage.items()))

pl.draw(heat, over=photo).save("lrp.png")
