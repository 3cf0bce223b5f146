"""Deconvnet: the score projected back to the pixels, as Zeiler & Fergus did.

Their networks had max-pooling, whose switches tie the projection to the picture. The embedded network has none:
what comes back is the network's own pattern, and the result says so.
"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.deconvnet(net, photo)
print(heat.meta.said[0])

pl.draw(heat, over=photo).save("deconvnet.png")
