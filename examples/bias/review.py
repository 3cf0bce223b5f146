"""Review: what a network knows photos by, as a page on which a person accepts or suspects."""

import pellucid as pl

net = pl.load("bundled")
classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
photos = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.bias.review(net, photos.subset(16, seed=1), photos=5)
for line in found.findings:
    print(line)

pl.draw(found).save("review.html")
pl.draw(found).save("review.png")
