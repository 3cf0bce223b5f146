"""EfficientNet-Lite0, the network that comes with Pellucid, written out plainly.

EfficientNet (Tan & Le 2019) without what small devices dislike: no squeeze-and-excitation, and ReLU6 for swish.
Layers bear timm's names (`tf_efficientnet_lite0`), with each activation a layer of its own: `blocks.6` is the
last stage, `act2` the last map before pooling.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (  # expansion, kernel, stride, channels, blocks: table 1 of the paper
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM, HEAD = 32, 1280


class EfficientNetLite0(nn.Module):
    """(N, 3, H, W) -> (N, classes) logits, for any size; trained on 224 × 224."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv_stem = convolution(3, STEM, kernel=3, stride=2)
        self.bn1 = norm(STEM)
        self.act1 = nn.ReLU6()
        self.blocks = nn.Sequential()
        before = STEM
        for expansion, kernel, stride, channels, count in STAGES:
            stage = nn.Sequential()
            for i in range(count):
                stage.append(block(before, channels, expansion, kernel, stride if i == 0 else 1))
                before = channels
            self.blocks.append(stage)
        self.conv_head = convolution(before, HEAD)
        self.bn2 = norm(HEAD)
        self.act2 = nn.ReLU6()
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(HEAD, classes)
        for part in self.modules():  # torch's own start lets the signal die out over fifty layers
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv_stem(x)))
        x = self.blocks(x)
        x = self.act2(self.bn2(self.conv_head(x)))
        logits: Tensor = self.classifier(self.global_pool(x).flatten(1))
        return logits


class Separable(nn.Module):
    """A convolution taken apart: each channel by itself, then a mixture of channels."""

    def __init__(self, before: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = convolution(before, before, kernel, stride, groups=before)
        self.bn1 = norm(before)
        self.act1 = nn.ReLU6()
        self.conv_pw = convolution(before, channels)
        self.bn2 = norm(channels)
        self.adds = stride == 1 and before == channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act1(self.bn1(self.conv_dw(x)))
        y = self.bn2(self.conv_pw(y))
        return x + y if self.adds else y


class InvertedResidual(nn.Module):
    """Widen, look at each channel by itself, narrow again; the narrow ends are added."""

    def __init__(self, before: int, channels: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = before * expansion
        self.conv_pw = convolution(before, wide)
        self.bn1 = norm(wide)
        self.act1 = nn.ReLU6()
        self.conv_dw = convolution(wide, wide, kernel, stride, groups=wide)
        self.bn2 = norm(wide)
        self.act2 = nn.ReLU6()
        self.conv_pwl = convolution(wide, channels)
        self.bn3 = norm(channels)
        self.adds = stride == 1 and before == channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act1(self.bn1(self.conv_pw(x)))
        y = self.act2(self.bn2(self.conv_dw(y)))
        y = self.bn3(self.conv_pwl(y))
        return x + y if self.adds else y


class ConvSame(nn.Conv2d):
    """A convolution padded as TensorFlow does: ceil(size / stride) cells, the odd pixel at the right and bottom."""

    def forward(self, input: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(input.shape[:-3:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]  # F.pad counts from the last axis
        return super().forward(F.pad(input, pads))


def block(before: int, channels: int, expansion: int, kernel: int, stride: int) -> nn.Module:
    """The block of a stage: nothing to widen where the expansion is 1."""
    if expansion == 1:
        return Separable(before, channels, kernel, stride)
    return InvertedResidual(before, channels, expansion, kernel, stride)


def convolution(before: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias; at stride 1 TensorFlow's padding is the usual one."""
    if stride == 1:
        return nn.Conv2d(before, channels, kernel, padding=kernel // 2, groups=groups, bias=False)
    return ConvSame(before, channels, kernel, stride, groups=groups, bias=False)


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalization with the ε that the weights were trained with."""
    return nn.BatchNorm2d(channels, eps=1e-3)
