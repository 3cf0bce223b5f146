"""ROAD: what is lost with the first pixels of a map, and what with its last, where neighbors fill the hole?"""

import pellucid as pl

# of your own: pl.quality.road("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.road(net, ["sample:panda", "sample:koala"], of="grad_cam,gradient", shares=3)
for line in found.findings:
    print(line)

pl.draw(found).save("road.png")
