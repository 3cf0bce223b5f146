"""Class activation map: the evidence itself, exact for networks that average their last maps and decide linearly."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.cam(net, photo, "giant panda")
print(f"score {heat.meta.score[0]:.2f} = {heat.array.mean():.2f} (the mean of the map) + the class's bias")

pl.draw(heat, over=photo).save("cam.png")
