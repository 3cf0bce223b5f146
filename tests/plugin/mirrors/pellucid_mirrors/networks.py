"""A source of networks."""

from __future__ import annotations

import torch
from torch import nn

from pellucid.errors import unknown
from pellucid.net import Labels, Preprocess
from pellucid.net.sources import Found, source


@source("stripes", written="stripes:COLUMNS or stripes:ROWS")
def find(rest: str, *, pretrained: bool) -> Found:
    """A network with two filters, for edges upright and edges level."""
    if rest == "CRASH":
        raise ZeroDivisionError("a fault of this package")
    if rest not in ("COLUMNS", "ROWS"):
        raise unknown("stripes network", rest, ["COLUMNS", "ROWS"])
    edge = torch.tensor([[-1.0, 1.0], [-1.0, 1.0]])
    convolution = nn.Conv2d(3, 2, 2, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.stack([edge, edge.T])[:, None].expand(2, 3, 2, 2))
    module = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    preprocess = Preprocess(resize=16, crop=(16, 16), mean=(0.5,), std=(0.5,))
    return Found(module, f"stripes:{rest}", preprocess, Labels.plain(["upright", "level"]), scores="logits")
