"""Grad-CAM: which places of the picture made the network say this?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.grad_cam(net, photo, "tiger cat")
print(f"{heat.meta.layer}: {heat.array.shape[1:]} cells, each sees {heat.placement.field[0]:.0f} pixels")

pl.draw(heat, over=photo).save("grad_cam.png")
