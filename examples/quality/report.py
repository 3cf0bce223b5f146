"""Report: which method is to be trusted on this network, and for what?"""

import pellucid as pl

# of your own: pl.quality.report("model.py:net", "photos/", of="all")
found = pl.quality.report("bundled", ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient_times_input", steps=4)
for line in found.findings:
    print(line)

pl.draw(found).save("report.png")
