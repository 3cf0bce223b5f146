"""Convexity: a surface that looks like a bowl may hide directions in which the loss bends downwards."""

import pellucid as pl

photos = ["sample:panda", "sample:koala"]
classes = ["giant panda", "koala"]

# of your own: pl.landscape.convexity("model.py:net", "photos/"), or of two on one scale: convexity([net, other], …)
net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
found = pl.landscape.convexity(net, (photos, classes), points="3:reach=0.3", products=4)
print(*found.findings, sep="\n")

pl.draw(found).save("convexity.png")
