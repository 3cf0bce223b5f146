"""Caricature: what three layers make of a panda."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

drawn = pl.synthesis.caricature(net, photo, layers=("blocks.2", "blocks.4", "blocks.5"), size=128, steps=48)
print(f"the panda excites {drawn.names[-1]} {drawn.facts['× as strong'][-1]:.1f} times as much as the photo does")

pl.draw(drawn).save("caricature.png")
