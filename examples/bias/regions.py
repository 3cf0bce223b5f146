"""Regions: how much of the attribution lies on the borders of the photos, and how much in their upper left corner?"""

import pellucid as pl

net = pl.load("bundled")
classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
photos = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.bias.regions(net, photos.subset(12, seed=1), masks="top left")
for line in found.findings:
    print(line)

pl.draw(found).save("regions.png")
