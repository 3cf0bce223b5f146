"""The pointing game: animals in a corner of a gray wall. Does the largest value of a map lie on them?"""

import torch

import pellucid as pl

net = pl.load("bundled")
boxes = {"panda": (80, 20, 318, 225), "koala": (35, 91, 244, 326), "polar_bear": (92, 93, 322, 221)}
classes = {"panda": "giant panda", "koala": "koala", "polar_bear": "ice bear"}

pictures, truth = [], {}
for name, (left, top, right, bottom) in boxes.items():
    photo = pl.read(f"sample:{name}").pictures[0][:, ::2, ::2]
    wall = torch.full((3, 384, 384), 128, dtype=torch.uint8)
    wall[:, 30 : 30 + photo.shape[1], 40 : 40 + photo.shape[2]] = photo
    pictures.append(wall)
    truth[name] = [(classes[name], (left / 2 + 40, top / 2 + 30, right / 2 + 40, bottom / 2 + 30))]

images = pl.Images.from_pictures(pictures, list(boxes))
found = pl.localization.pointing(net, images, truth=truth, of="grad_cam,gradient")
for row in found["pointing"].rows:
    print(f"{row['method']}: {row['hits']:.0%} of the animals are hit")

pl.draw(found).save("pointing.png")
