"""Audit: digits with wrong labels, copies and leaks planted among them, as their owner would find them."""

import numpy as np

import pellucid as pl
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(600).train
pixels, labels = (255 * task.inputs[:, 0].numpy()).astype(np.uint8), task.labels.numpy().copy()
labels[::40] = (labels[::40] + 3) % 10
np.savez("train.npz", images=np.concatenate([pixels[:500], pixels[:3]]), labels=np.r_[labels[:500], labels[:3]])
np.savez("test.npz", images=np.concatenate([pixels[500:], pixels[5:7]]), labels=np.r_[labels[500:], labels[5:7]])

module = seeded(lambda: CNN(1, 10), seed=0)
train(module, (task.inputs[:500], labels[:500]), Recipe(epochs=10, optimizer="adam", lr=3e-3))
net = pl.Net(module, "digits", Preprocess(channels=1, crop=(8, 8)))
index = pl.units.index(net, "train.npz", store="train.index")

found = pl.examples.audit(index, test="test.npz", count=12)
print("\n".join(found.findings))
for one in (*found.of("leaks"), *found.of("duplicates")):
    print(f"{one.title}: {', '.join(found.names[i] for i in one.images)}; {one.said}")

pl.draw(found).save("audit.png")
pl.draw(found).save("audit.html")
