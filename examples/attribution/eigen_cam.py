"""Eigen-CAM: what a layer responds to most, whatever the class."""

import numpy as np

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:rocket")

heat = pl.attribution.eigen_cam(net, photo)
y, x = np.unravel_index(heat.array[0].argmax(), heat.array[0].shape)
rows, columns = heat.placement.centers(*heat.array.shape[1:])
print(f"{heat.meta.layer} is most active around pixel {rows[y]:.0f}, {columns[x]:.0f}")

pl.draw(heat, over=photo).save("eigen_cam.png")
