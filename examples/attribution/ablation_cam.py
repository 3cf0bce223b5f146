"""Ablation-CAM: how far does the score fall without each map?"""

import numpy as np

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller pictures: one pass for each of 1280 channels
photo = pl.read("sample:panda")

heat = pl.attribution.ablation_cam(net, photo, "giant panda", drop="difference")
plain = pl.attribution.grad_cam(net, photo, "giant panda")
print(f"correlation with Grad-CAM: {np.corrcoef(heat.array.ravel(), plain.array.ravel())[0, 1]:.2f}")

pl.draw(heat, over=photo).save("ablation_cam.png")
