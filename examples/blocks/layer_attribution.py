"""Attribution between layers: where do the last layer's groups for the panda come from?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

found = pl.blocks.layer_attribution(net, photo, "giant panda", count=3, points=8)
for name, part in found.parts.items():
    print(f"{name}: {part.meta.score[0]:.2f}")

pl.draw(found, photo).save("layer_attribution.png")
