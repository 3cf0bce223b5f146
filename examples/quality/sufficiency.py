"""Sufficiency: how few of the first pixels of a map are enough?"""

import pellucid as pl

# of your own: pl.quality.sufficiency("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.sufficiency(net, ["sample:panda", "sample:koala"], of="grad_cam,gradient", steps=14)
for line in found.findings:
    print(line)

pl.draw(found).save("sufficiency.png")
