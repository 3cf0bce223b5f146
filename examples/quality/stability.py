"""Stability: do maps stay the same where nothing that matters changes?"""

import pellucid as pl

# of your own: pl.quality.stability("model.py:net", "photos/", of="all")
found = pl.quality.stability("bundled", ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient_times_input")
for line in found.findings:
    print(line)

pl.draw(found).save("stability.png")
