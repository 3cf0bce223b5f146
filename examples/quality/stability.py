"""Stability: do maps stay the same where nothing that matters changes?"""

import pellucid as pl

# of your own: pl.quality.stability("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.stability(net, ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient_times_input")
for line in found.findings:
    print(line)

pl.draw(found).save("stability.png")
