"""Grad-CAM++: does one large instance drown the small ones?"""

import numpy as np

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

heat = pl.attribution.grad_cam_plus_plus(net, photo, "espresso")
plain = pl.attribution.grad_cam(net, photo, "espresso")
print(f"correlation with Grad-CAM: {np.corrcoef(heat.array.ravel(), plain.array.ravel())[0, 1]:.2f}")

pl.draw(heat, over=photo).save("grad_cam_plus_plus.png")
