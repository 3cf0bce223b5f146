"""Groups: is the network as often right about a koala in a dim photo as about one in a bright photo?"""

import numpy as np
import torch

import pellucid as pl

net = pl.load("bundled")
koala = net.prepare(net.images(["sample:koala", "sample:panda"])).pixels
chance = np.random.default_rng(0)
light = torch.from_numpy(chance.uniform(0.02, 1, 40)).float()  # the same two photos, in 40 lights
photos = koala[np.arange(40) % 2] * light.view(-1, 1, 1, 1)
labels = [net.class_index(("koala", "giant panda")[k % 2]) for k in range(40)]

found = pl.bias.groups(net, (photos, labels), groups=["dim" if one < 0.2 else "bright" for one in light], min_images=3)
for line in found.findings:
    print(line)

pl.draw(found).save("groups.png")
