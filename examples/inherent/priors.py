"""Priors: do filters that a person wrote down help where images are few?"""

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.net import Preprocess

net = pl.Net(seeded(lambda: CNN(1, 10, size=32), seed=0), "digits", Preprocess(channels=1, crop=(32, 32)))

found = pl.inherent.priors(net, "font_digits:240", shares=(0.5, 1), recipe="epochs=8")
print("\n".join(found.findings))

pl.draw(found).save("priors.png")
