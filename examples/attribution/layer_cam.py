"""Layer-CAM: three layers in one map, from fine to coarse."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.layer_cam(net, photo, "tiger cat", layer="blocks.2.1.act2,blocks.4.2.act2,act2")
print(f"{heat.array.shape[1]} × {heat.array.shape[2]} pixels from {heat.meta.layer}")

pl.draw(heat, over=photo).save("layer_cam.png")
