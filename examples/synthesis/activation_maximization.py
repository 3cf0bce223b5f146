"""Activation maximization: what do units of an early, a middle and a late layer want to see, and what a class?"""

import pellucid as pl

net = pl.load("bundled")

units = [
    "blocks.1:11",
    "blocks.2:19",
    "blocks.4:75",
    "castle",
]
seen = pl.synthesis.activation_maximization(net, units, size=160, steps=64)
print(", ".join(f"{name} {trust.activation:.1f}" for name, trust in zip(seen.names, seen.trust, strict=True)))

pl.draw(seen).save("activation_maximization.png")
