"""Evolution of a unit: what excited it at every checkpoint, while a small network learns?"""

import torch
from torch import nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.images.sources import Source

torch.manual_seed(0)
source = Source.of("samples")  # 420 windows of the 14 sample photos, which are the classes
small = pl.net.Preprocess(resize=48, crop=(48, 48), mean=(0.5,) * 3, std=(0.25,) * 3)
pixels = torch.cat([small.prepare(source.read(i)).pixels for i in range(len(source))])
labels = torch.tensor([source.label(i) for i in range(len(source))])

module = nn.Sequential(
    nn.Conv2d(3, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 24, 3, stride=2), nn.ReLU(),
    nn.Conv2d(24, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 14),
)  # fmt: skip
net, indexes = pl.Net(module, "small", small), []
optimizer = torch.optim.Adam(module.parameters(), 3e-3)
for epoch in range(31):
    if epoch in (0, 1, 3, 10, 30):
        indexes.append(pl.units.index(net, source, store=f"epoch {epoch}.index", layers=["1", "3", "5"]))
    for batch in torch.randperm(len(labels)).split(32):
        loss = F.cross_entropy(module(small.normalize(pixels[batch])), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

found = pl.units.evolution(indexes, "5:7")
print(found["checkpoints"]["correlation"])

pl.draw(found).save("evolution.png")
