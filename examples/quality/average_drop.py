"""Average drop: what is lost where the image is seen through a map?"""

import pellucid as pl

# of your own: pl.quality.average_drop("model.py:net", "photos/", of="all")
found = pl.quality.average_drop("bundled", ["sample:panda", "sample:koala"], of="grad_cam,hires_cam,gradient")
for line in found.findings:
    print(line)

pl.draw(found).save("average_drop.png")
