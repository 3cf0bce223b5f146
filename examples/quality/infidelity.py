"""Infidelity: do sums of a map foretell what happens when squares are taken away?"""

import pellucid as pl

# of your own: pl.quality.infidelity("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.infidelity(net, ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient_times_input", samples=16)
for line in found.findings:
    print(line)

pl.draw(found).save("infidelity.png")
