"""Neuron groups: which parts of the panda does the network put together, and what does each add?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

found = pl.blocks.neuron_groups(net, photo, "giant panda", groups=4, steps=48)
(layer,) = found.layers
print(f"{layer.layer}: {layer.shares[0].sum():.2f} of {layer.total[0]:.2f} in {len(layer.names)} groups")

pl.draw(found).save("neuron_groups.png")
