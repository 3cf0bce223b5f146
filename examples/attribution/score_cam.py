"""Score-CAM: what does the network say when it sees the picture only through one of its own maps?"""

import numpy as np

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller pictures: one pass for each of 1280 channels
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.score_cam(net, photo, "tiger cat", variant="authors")
plain = pl.attribution.grad_cam(net, photo, "tiger cat")
print(f"correlation with Grad-CAM: {np.corrcoef(heat.array.ravel(), plain.array.ravel())[0, 1]:.2f}")

pl.draw(heat, over=photo).save("score_cam.png")
