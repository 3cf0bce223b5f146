"""Sensitivity: how far do maps move when the image hardly does?"""

import pellucid as pl

# of your own: pl.quality.sensitivity("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.sensitivity(net, ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient", samples=2)
for line in found.findings:
    print(line)

pl.draw(found).save("sensitivity.png")
