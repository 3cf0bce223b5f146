"""Label randomization: do maps change when the labels that a network has learned mean nothing?"""

import pellucid as pl

# of your own: pl.quality.label_randomization("model.py:net", of="all")
found = pl.quality.label_randomization("bundled", of="grad_cam,gradient,guided_backprop,lrp", digits=20)
for line in found.findings:
    print(line)

pl.draw(found).save("label_randomization.png")
