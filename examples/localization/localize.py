"""Localize: animals in a corner of a gray wall. Three questions about the same maps: where, how much, what size?"""

import torch

import pellucid as pl

net = pl.load("bundled")
boxes = {"panda": (80, 20, 318, 225), "koala": (35, 91, 244, 326), "polar_bear": (92, 93, 322, 221)}
classes = {"panda": "giant panda", "koala": "koala", "polar_bear": "ice bear"}

pictures, truth = [], {}
for name, (left, top, right, bottom) in boxes.items():
    photo = pl.read(f"sample:{name}").pictures[0][:, ::2, ::2]
    wall = torch.full((3, 384, 384), 128, dtype=torch.uint8)
    wall[:, 160 : 160 + photo.shape[1], 40 : 40 + photo.shape[2]] = photo
    pictures.append(wall)
    truth[name] = [(classes[name], (left / 2 + 40, top / 2 + 160, right / 2 + 40, bottom / 2 + 160))]

images = pl.Images.from_pictures(pictures, list(boxes))
found = pl.localization.localize(net, images, boxes=truth, of="grad_cam,gradient", thresholds=20)
for line in found.findings:
    print(line)

pl.draw(found).save("localize.png")
