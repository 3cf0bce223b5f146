"""Occlusion, label map: what would the network say if this place were hidden?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

labels = pl.attribution.occlusion_labels(net, photo, size=64, stride=32)
print("answers that occur:", ", ".join(labels.names.values()))

pl.draw(labels, over=photo).save("occlusion_labels.png")
