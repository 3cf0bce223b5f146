"""SqueezeNet v1.0 (Iandola et al. 2016) with the weights of its authors: a second trained network, for tests alone.

The weights were trained by Caffe on blue, green, red in 0..255 minus (104, 117, 123). Here the first convolution's
channels are turned round and the rest is preprocessing, so that it is a network of red, green, blue like any other.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.net import Labels, Net, Preprocess

_FIRES = {2: (96, 16, 64), 3: (128, 16, 64), 4: (128, 32, 128), 5: (256, 32, 128)}
_FIRES |= {6: (256, 48, 192), 7: (384, 48, 192), 8: (384, 64, 256), 9: (512, 64, 256)}


class Fire(nn.Module):
    """A narrow 1 × 1 convolution, then 1 × 1 and 3 × 3 side by side."""

    def __init__(self, channels: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(channels, narrow, 1)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.squeeze1x1(x))
        return self.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], 1))


class SqueezeNet(nn.Module):
    """conv1, fire2 … fire9, conv10, and the mean over all places: (N, 3, 227, 227) -> (N, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.pool4, self.pool8 = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(3, 2, ceil_mode=True)
        for number, widths in _FIRES.items():
            self.add_module(f"fire{number}", Fire(*widths))
        self.conv10, self.relu10 = nn.Conv2d(512, 1000, 1), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool4(self.fire4(self.fire3(self.fire2(x))))
        x = self.pool8(self.fire8(self.fire7(self.fire6(self.fire5(x)))))
        return self.relu10(self.conv10(self.fire9(x))).mean((2, 3))


def squeezenet(path: str | Path, *, random: bool = False) -> Net:
    """The network with the weights in `path` (.npz); labels from imagenet_wnid_label.json beside it.

    With `random`, the same architecture with the weights that torch begins with.
    """
    path, module = Path(path), SqueezeNet()
    if not random:
        with np.load(path) as stored:
            weights = {name: torch.from_numpy(stored[name]) for name in stored.files}
        weights["conv1.weight"] = weights["conv1.weight"].flip(1).contiguous()  # blue, green, red -> red, green, blue
        module.load_state_dict(weights)
    pairs = json.loads((path.parent / "imagenet_wnid_label.json").read_text(encoding="utf-8"))
    names = tuple(tuple(name.strip() for name in label.split(",")) for _, label in pairs)
    labels = Labels(names, tuple(wnid for wnid, _ in pairs))
    mean, std = (123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3
    return Net(module.eval(), "squeezenet", Preprocess(256, (227, 227), "bilinear", mean, std), labels)
