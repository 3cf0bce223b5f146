"""Activation profile: a network made sick, and the first look that finds where."""

import copy

import torch

import pellucid as pl

net = pl.load("bundled")
photos = pl.read(["sample:panda", "sample:espresso", "sample:rocket"])

module = copy.deepcopy(net.module)
with torch.no_grad():
    module.blocks[4][1].bn1.bias.fill_(-100)  # its rectifier is never above zero again

profile = pl.activations.profile(net.with_module(module), photos)
print(profile.findings[0])

pl.draw(profile).save("profile.png")
