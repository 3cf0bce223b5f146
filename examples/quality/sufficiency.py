"""Sufficiency: how few of the first pixels of a map are enough?"""

import pellucid as pl

# of your own: pl.quality.sufficiency("model.py:net", "photos/", of="all")
found = pl.quality.sufficiency("bundled", ["sample:panda", "sample:koala"], of="grad_cam,gradient", steps=14)
for line in found.findings:
    print(line)

pl.draw(found).save("sufficiency.png")
