"""HiResCAM: every cell tells its own share of the score."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.hires_cam(net, photo, "giant panda")
print(f"score {heat.meta.score[0]:.2f} = {heat.array.sum():.2f} (the sum of the cells) + the class's bias")

pl.draw(heat, over=photo).save("hires_cam.png")
