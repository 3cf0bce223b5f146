"""Guided Grad-CAM: the fine lines, where the class is."""

import numpy as np

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda")

heat = pl.attribution.guided_grad_cam(net, photo, "giant panda")
strength = np.sort(np.abs(heat.array).ravel())[::-1]
print(f"a tenth of the pixels holds {strength[: strength.size // 10].sum() / strength.sum():.0%} of the map")

pl.draw(heat, over=photo).save("guided_grad_cam.png")
