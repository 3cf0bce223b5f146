"""Uncertainty: what is a network unsure of, because the photo is unclear or because it has not learned enough?"""

import copy

import torch

import pellucid as pl

net = pl.load("bundled")
module = copy.deepcopy(net.module)  # trained with this dropout, which its published weights come without
module.classifier = torch.nn.Sequential(torch.nn.Dropout(0.2), module.classifier)

photos = pl.read(["sample:panda", "sample:starry_night", "sample:dragon"])
found = pl.training.uncertainty(net.with_module(module), photos, samples=30)
for line in found.findings:
    print(line)

pl.draw(found).save("uncertainty.png")
