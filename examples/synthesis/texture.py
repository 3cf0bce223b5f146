"""Texture: a new picture in which the network finds the same features together, wherever they are."""

import pellucid as pl

net = pl.load("bundled")
painting = pl.read("sample:starry_night")

made = pl.synthesis.texture(net, painting, size=192)
print(f"the Gram matrices differ by {made.facts['loss'][0]:.1%}, those of noise by {made.facts['of the noise'][0]:.1%}")

pl.draw(made).save("texture.png")
