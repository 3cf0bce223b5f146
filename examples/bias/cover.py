"""Cover: does the panda depend on the middle of the photo more than on as large a place elsewhere?"""

import pellucid as pl

net = pl.load("bundled")
photos = pl.read(["sample:panda", "sample:koala", "sample:espresso"])

found = pl.bias.cover(net, photos, masks="center", fill="blur")
for line in found.findings:
    print(line)

pl.draw(found).save("cover.png")
