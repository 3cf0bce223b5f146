"""Transfer: what are features of the digits 0 to 4 worth for the digits 5 to 9?"""

import pellucid as pl
from pellucid.data import Data
from pellucid.learning.networks import CNN, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Preprocess

task = digits(600)
known, new = task.train.labels < 5, task.test.labels >= 5
module = seeded(lambda: CNN(1, 5), seed=0)
train(module, Tensors(task.train.inputs[known], task.train.labels[known]), Recipe(epochs=10, lr=0.05))
net = pl.Net(module, "digits 0 to 4", Preprocess(channels=1, crop=(8, 8)))

other = Data.of((task.test.inputs[new], task.test.labels[new] - 5), pixels="0..1")
found = pl.training.transfer(net, other, shots=(1, 10), source=task.data)
print("\n".join(found.findings))

pl.draw(found).save("transfer.png")
