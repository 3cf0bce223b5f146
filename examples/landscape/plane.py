"""Loss over a plane: the surface that training went down, around the weights that it found."""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller images than it was trained with: a third of the time
photos = ["sample:panda", "sample:koala", "sample:polar_bear", "sample:lemur"]
classes = ["giant panda", "koala", "ice bear", "indri"]

# of your own: pl.landscape.plane("model.py:net", "photos/"), or of two on one scale: plane([net, other], "photos/")
surface = pl.landscape.plane(net, (photos, classes), points="5:reach=0.5")
print(surface.findings[0])
print(f"batch norms: {surface.meta.found['norms']}; the axes meet at {surface.meta.found['cosine'][0]:+.3f}")

pl.draw(surface).save("plane.png")
