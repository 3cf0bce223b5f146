"""Box accuracy: an animal in a corner of a gray wall. Does a box around the bright part of a map fit it?"""

import torch

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:panda").pictures[0][:, ::2, ::2]
wall = torch.full((3, 384, 384), 128, dtype=torch.uint8)
wall[:, 30 : 30 + photo.shape[1], 40 : 40 + photo.shape[2]] = photo
image = pl.Images.from_pictures([wall], ["panda"])
truth = {"panda": [("giant panda", (80, 40, 199, 142))]}

heat = pl.attribution.grad_cam(net, image, "giant panda")
(row,) = pl.localization.boxes(heat).rows  # at 20 % of the maximum
print("the map's box:", [round(row[side]) for side in ("left", "top", "right", "bottom")], "people's: 80, 40, 199, 142")

found = pl.localization.box_accuracy(net, image, truth=truth, of="grad_cam,gradient", thresholds=20)
for row in found["boxes"].rows:
    print(f"{row['method']}: its best box overlaps by {'half' if row['iou_0.5'] else 'less than half'}")

pl.draw(found).save("box_accuracy.png")
