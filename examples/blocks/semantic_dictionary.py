"""Semantic dictionary: what does the network detect at the eye of the panda?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

found = pl.blocks.semantic_dictionary(net, photo, "giant panda", cell=(6, 3), units=4, steps=48)
(cell,) = found.layers
print(f"{cell.layer}: units {cell.units[0, :, 0].tolist()}")

pl.draw(found).save("semantic_dictionary.png")
