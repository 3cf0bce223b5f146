"""Activation maps: where in the picture do the strongest units of a layer find what they look for?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

maps = pl.activations.maps(net, photo, layer="blocks.5.0.act1", max_units=16)
print(f"{maps.meta.said[-1]}; {maps.blank[0]:.0%} of {maps.channels} maps are blank")

pl.draw(maps, over=photo).save("maps.png")
