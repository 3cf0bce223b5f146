"""Randomization: do maps change when the network forgets what it has learned?"""

import pellucid as pl

# of your own: pl.quality.randomization("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.randomization(net, ["sample:panda", "sample:koala"], of="grad_cam,gradient,guided_backprop", steps=4)
for line in found.findings:
    print(line)

pl.draw(found).save("randomization.png")
