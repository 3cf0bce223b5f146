"""InfoGAN: digits that sort themselves, without a label."""

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.net import Preprocess

net = pl.Net(seeded(lambda: CNN(1, 10), seed=0), "digits", Preprocess(channels=1, crop=(8, 8)))

found = pl.inherent.infogan(net, digits(1200).data, steps=1500)
print("\n".join(found.findings))

pl.draw(found).save("infogan.png")
