"""Infidelity: do sums of a map foretell what happens when squares are taken away?"""

import pellucid as pl

# of your own: pl.quality.infidelity("model.py:net", "photos/", of="all")
found = pl.quality.infidelity(
    "bundled", ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient_times_input", samples=16
)
for line in found.findings:
    print(line)

pl.draw(found).save("infidelity.png")
