"""A walk through the network for a panda: from edges and colors to the answer, as a page to open and share."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

found = pl.blocks.tour(net, photo, layers=("blocks.0", "blocks.3.0.act1", "act2"), units=3, points=8, steps=32)
walk = found.walks[0]
print(f"{walk.asked}: {walk.score:.1f}, in gray {walk.gray:.1f}")
for layer in walk.layers:
    print(f"{layer.layer}: units {', '.join(map(str, layer.units))} add most")

page = pl.draw(found)
page.save("tour.html")
page.save("tour.png")
