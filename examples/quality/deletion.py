"""Deletion: how fast does the class disappear with the pixels that a map names first?"""

import pellucid as pl

# of your own: pl.quality.deletion("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.deletion(net, ["sample:panda", "sample:koala"], of="grad_cam,gradient", steps=14)
for line in found.findings:
    print(line)

pl.draw(found).save("deletion.png")
