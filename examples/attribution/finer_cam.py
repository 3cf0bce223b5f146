"""Finer-CAM: what tells this class from those that look most like it?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.finer_cam(net, photo, "tiger cat", strength=1)
print(f"{heat.meta.said[-1]}; ahead of their mean by {heat.meta.score[0]:.2f} logits")

pl.draw(heat, over=photo).save("finer_cam.png")
