"""Concept bottleneck: digits told from the strokes of a seven-segment display, which a person may correct."""

import pellucid as pl
from pellucid.images.sources.font_digits import SEGMENTS
from pellucid.learning.networks import CNN, seeded
from pellucid.net import Preprocess

net = pl.Net(seeded(lambda: CNN(1, 10, size=32), seed=0), "digits", Preprocess(channels=1, crop=(32, 32)))

found = pl.inherent.concept_bottleneck(net, "font_digits:400", concepts=SEGMENTS, layer="features.3")
print("\n".join(found.findings))

pl.draw(found).save("concept_bottleneck.png")
