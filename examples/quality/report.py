"""Report: which method is to be trusted on this network, and for what?"""

import pellucid as pl

# of your own: pl.quality.report("model.py:net", "photos/", of="all")
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.quality.report(net, ["sample:panda", "sample:koala"], of="grad_cam,gradient_times_input", steps=4)
for line in found.findings:
    print(line)

pl.draw(found).save("report.png")
