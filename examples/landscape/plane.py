"""Loss over a plane: the surface that training went down, around the weights that it found."""

import pellucid as pl

net = pl.load("bundled", size=96)  # smaller images than it was trained with, and faster
photos = ["sample:panda", "sample:koala"]
classes = ["giant panda", "koala"]

# of your own: pl.landscape.plane("model.py:net", "photos/"), or of two on one scale: plane([net, other], "photos/")
surface = pl.landscape.plane(net, (photos, classes), points="5:reach=0.5")
print(surface.findings[0])
print(f"batch norms: {surface.meta.found['norms']}; the axes meet at {surface.meta.found['cosine'][0]:+.3f}")

pl.draw(surface).save("plane.png")
