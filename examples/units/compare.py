"""Units compared: which units of a network survive when its weights are rounded to 5 bits?"""

import copy

import torch

import pellucid as pl

net = pl.load("bundled", size=128)
module = copy.deepcopy(net.module)
with torch.no_grad():
    for weight in module.parameters():
        if weight.dim() == 4:
            most = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-9)
            weight.copy_((weight / most * 15).round() / 15 * most)

before = pl.units.index(net, "samples", store="exact.index", layers=["blocks.3"])
after = pl.units.index(net.with_module(module), "samples", store="rounded.index", layers=["blocks.3"])
found = pl.units.compare(before, after, examples=2)
for line in found.findings:
    print(line)

pl.draw(found).save("compare.png")
