"""DeepDream: what the network sees in an evening sky."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:rocket")

dream = pl.synthesis.deepdream(net, photo, seed=1)
(before,), (after,) = dream.facts.values()
print(f"{dream.meta.target} rises from {before:.0f} to {after:.0f}")

pl.draw(dream).save("deepdream.png")
