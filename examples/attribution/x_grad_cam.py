"""XGrad-CAM at a middle layer: its cells share out what the layer tells, no more and no less."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.x_grad_cam(net, photo, "giant panda", layer="blocks.4.2.act2")
told = pl.attribution.hires_cam(net, photo, "giant panda", layer="blocks.4.2.act2")
print(f"its cells sum to {heat.array.sum():.2f}, like those of HiResCAM: {told.array.sum():.2f}")

pl.draw(heat, over=photo).save("x_grad_cam.png")
