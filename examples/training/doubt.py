"""Doubt: which of these images is the network unsure of, and is it right to be?"""

import copy

import torch

import pellucid as pl

net = pl.load("bundled")
module = copy.deepcopy(net.module)  # trained with this dropout, which its published weights come without
module.classifier = torch.nn.Sequential(torch.nn.Dropout(0.2), module.classifier)
net = net.with_module(module)

classes = {"koala": "koala", "panda": "giant panda", "espresso": "espresso", "cat_chelsea": "Egyptian cat"}
windows = pl.Data.of("samples", classes={name: classes.get(name) for name in pl.images.samples()})

found = pl.training.doubt(net, windows.subset(40, seed=1), samples=10)
for line in found.findings:
    print(line)

pl.draw(found).save("doubt.png")
