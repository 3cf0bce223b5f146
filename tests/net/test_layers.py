"""Receptive fields and places, checked by gradient: the pixels that reach a cell are exactly those predicted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import UnknownName
from pellucid.net import Layer, Net, Preprocess, tap
from pellucid.net.layers import Layers, table


def positive(module: nn.Module) -> nn.Module:
    """The module with weights that let every path through: no gradient cancels or dies."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=torch.Generator().manual_seed(3))
            part.weight.data /= part.weight[0].numel()
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.reset_running_stats()
    return module.double().eval()


def reached(
    module: nn.Module, layer: str, size: tuple[int, int], cell: tuple[int, int], layers: Layers | None = None
) -> tuple[slice, slice]:
    """The box of pixels with a gradient from that cell of the layer (summed over channels); `layers`: its table."""
    ramp = torch.rand(1, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.5
    ramp.requires_grad_()
    with torch.enable_grad():
        axes = (layers or table(module, ramp.detach()))[layer].axes  # of some layers the channels are the last
        _, found, _ = tap.forward(
            module, ramp, at=[layer], grad=True, stop=True, axes={} if axes is None else {layer: axes}
        )
        (gradient,) = torch.autograd.grad(found[layer][0, :, cell[0], cell[1]].sum(), ramp)
    rows, columns = (gradient[0].abs().sum(0).sum(1 - axis).nonzero().flatten() for axis in (0, 1))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def predicted(layer: Layer, size: tuple[int, int], cell: tuple[int, int]) -> tuple[slice, slice]:
    """The same box from the layer table alone, cut at the border; only for fields centered on their cells."""
    assert layer.placement is not None
    rows, columns = layer.placement.centers(*layer.shape[1:])
    boxes = []
    for center, field, length in zip((rows[cell[0]], columns[cell[1]]), layer.placement.field, size, strict=True):
        boxes.append(slice(max(round(center - (field - 1) / 2), 0), min(round(center + (field - 1) / 2) + 1, length)))
    return boxes[0], boxes[1]


def within(inner: slice, outer: slice) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


class TfSame(nn.Module):
    """TensorFlow's SAME padding: more on the lower right at stride 2."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, 5, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(F.pad(self.a(F.pad(x, (0, 1, 0, 1))), (1, 2, 1, 2)))


class Branched(nn.Module):
    """Dilation beside pooling, joined by concatenation, then a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.wide = nn.Conv2d(4, 4, 3, dilation=3, padding=3)
        self.join = nn.Conv2d(8, 4, 1)
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        both = torch.cat([self.wide(h), F.avg_pool2d(h, 3, 1, 1)], 1)
        return self.end(h + self.join(both))


class Gated(nn.Module):
    """Squeeze-and-excitation: every cell depends on the whole picture, and stays where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        return self.end(h * torch.sigmoid(self.fc(F.adaptive_avg_pool2d(h, 1))))


class ChannelsLast(nn.Module):
    """A ConvNeXt-like block: the axes travel through permutations and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 4, stride=4)
        self.deep, self.norm, self.up, self.down = (
            nn.Conv2d(4, 4, 7, padding=3, groups=4),
            nn.LayerNorm(4),
            nn.Linear(4, 8),
            nn.Linear(8, 4),
        )
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        o = self.down(self.up(self.norm(self.deep(h).permute(0, 2, 3, 1))))
        return self.end(h + o.permute(0, 3, 1, 2))


class UNet(nn.Module):
    """Down and up again."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.up, self.c = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        return self.c(torch.cat([h, self.up(self.b(F.max_pool2d(h, 2)))], 1))


class Shuffled(nn.Module):
    """Channel shuffle, split and slicing, as ShuffleNet does."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.end = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.a(x).chunk(2, 1)
        h = torch.cat([left, self.b(right)], 1)
        n, c, rows, columns = h.shape
        h = h.view(n, 2, c // 2, rows, columns).transpose(1, 2).reshape(n, c, rows, columns)
        return self.end(h[:, :, 1:, :-2])


class Upsampled(nn.Module):
    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode, self.a, self.end = mode, nn.Conv2d(3, 4, 3, stride=4, padding=1), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        corners = None if self.mode == "nearest" else False
        return self.end(F.interpolate(self.a(x), scale_factor=2, mode=self.mode, align_corners=corners))


def sequence() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 4, (3, 1), padding=(1, 0)),
    )


EXACT: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "sequence": (sequence, "3"),
    "tf-same": (TfSame, "b"),
    "branches": (Branched, "end"),
    "channels-last": (ChannelsLast, "end"),
    "shuffled": (Shuffled, "end"),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("size", [(40, 48), (37, 51)])
def test_field_is_exact(name: str, size: tuple[int, int]) -> None:
    make, layer = EXACT[name]
    module = positive(make())
    rows = table(module, torch.zeros(1, 3, *size, dtype=torch.float64))
    row = rows[layer]
    assert rows.unplaced == ()
    whole = (slice(0, size[0]), slice(0, size[1]))
    for cell in [(0, 0), (row.shape[1] // 2, row.shape[2] // 2), (row.shape[1] - 1, 1)]:
        found, told = reached(module, layer, size, cell), predicted(row, size, cell)
        assert all(within(f, t) for f, t in zip(found, told, strict=True))
        if name == "tf-same" or (
            cell != (0, 0) and all(w.start < t.start and t.stop < w.stop for w, t in zip(whole, told, strict=True))
        ):
            assert found == told, f"{cell}: reached {found}, predicted {told}"


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_field_of_interpolation_holds_what_reaches_it(mode: str) -> None:
    module, size = positive(Upsampled(mode)), (40, 40)
    row = table(module, torch.zeros(1, 3, *size, dtype=torch.float64))["end"]
    assert row.placement is not None
    rows, _ = row.placement.centers(*row.shape[1:])
    for cell in range(4, 16):
        found = reached(module, "end", size, (cell, cell))[0]
        middle = (found.start + found.stop - 1) / 2
        assert abs(middle - rows[cell]) <= 2.0 + 1e-9, (cell, found, rows[cell])
        assert found.stop - found.start <= row.placement.field[0]


def test_u_net_cells_lie_on_their_pixels() -> None:
    row = table(UNet().double(), torch.zeros(1, 3, 32, 32, dtype=torch.float64))["c"]
    rows, _ = row.placement.centers(32, 32)  # type: ignore[union-attr]
    assert np.abs(rows - np.arange(32)).max() <= 1.0
    assert pytest.approx(np.diff(rows).mean(), abs=0.05) == 1.0


def test_gate_widens_the_field_and_moves_nothing() -> None:
    module, size = positive(Gated()), (20, 24)
    row = table(module, torch.zeros(1, 3, *size, dtype=torch.float64))["end"]
    assert row.placement is not None
    assert row.placement.start == (0, 0)
    assert row.placement.jump == (1, 1)
    assert row.placement.field[0] >= 20
    assert reached(module, "end", size, (10, 10)) == (slice(0, 20), slice(0, 24))


def test_shared_layers_are_numbered_by_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 3, 3, stride=2), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.conv(self.relu(self.conv(x))))

    layers = Net(Twice(), preprocess=Preprocess(crop=(31, 31))).layers()
    assert layers.names == ("conv#1", "relu#1", "conv#2", "relu#2")
    assert layers["relu#2"].placement.field == (7.0, 7.0)  # type: ignore[union-attr]
    with pytest.raises(UnknownName, match="no layer 'relu'; nearest of 4: relu#"):
        layers["relu"]


def test_unknown_operations_are_named_and_place_nothing() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.end = nn.Conv2d(3, 4, 3, padding=1), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.end(torch.roll(self.a(x), 3, dims=2))

    layers = Net(Odd(), preprocess=Preprocess(crop=(16, 16))).layers()
    assert layers["a"].placement is not None
    assert layers["end"].placement is None
    assert layers.unplaced == ("roll",)


ZOO = {
    # layer, start and jump of its cells, by hand from the published architectures
    "resnet18": ("layer4", 0.0, 32.0),
    "vgg11": ("features", 15.5, 32.0),
    "densenet121": ("features", 14.0, 32.0),
    "googlenet": ("inception5b", 22.0, 32.0),
    "mobilenet_v3_small": ("features", 0.0, 32.0),
    "convnext_tiny": ("features", 15.5, 32.0),
}


GATED = ("efficientnet_b0", "mobilenet_v3_small", "timm:ecaresnet26t", "timm:ghostnet_100")
PLAIN = ("resnet18", "squeezenet1_1", "convnext_tiny", "shufflenet_v2_x0_5")


@pytest.mark.slow
@pytest.mark.parametrize("name", GATED + PLAIN)
def test_no_pixel_outside_the_field_moves_a_cell(name: str) -> None:
    """Corners, an edge and a place off the middle, of the last layer of every shape."""
    torch.manual_seed(0)
    if name.startswith("timm:"):
        module = pytest.importorskip("timm").create_model(name[5:], pretrained=False)
    else:
        module = pytest.importorskip("torchvision.models").get_model(name, weights=None)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):  # some begin with branches that are multiplied by zero
            nn.init.uniform_(part.weight, 0.5, 1.5)
    net, size = Net(module.double().eval()), 80
    rows = {row.shape: row for row in net.layers((size, size)).rows if row.spatial and row.placement}
    pixels = torch.rand(1, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    run = net.run(pixels, layers=[row.name for row in rows.values()], grad="pixels")
    gated = 0
    for row in rows.values():
        assert row.placement is not None
        assert run.pixels is not None
        gated += row.placement.gated
        high, wide = row.shape[1:]
        for y, x in {(0, 0), (high - 1, wide - 1), (0, wide // 2), (high // 2, wide // 3)}:
            signs = torch.randn(
                row.shape[0], dtype=torch.float64, generator=torch.Generator().manual_seed(y * wide + x)
            )
            score = (run[row.name][0, :, y, x] * signs).sum()
            (slope,) = torch.autograd.grad(score, run.pixels, retain_graph=True)
            centers = row.placement.centers(high, wide)
            inside = [
                np.abs(np.arange(size) - center[i]) <= (field - 1) / 2 + 1e-6
                for center, i, field in zip(centers, (y, x), row.placement.field, strict=True)
            ]
            outside = ~np.outer(*inside)
            assert not slope[0].abs().sum(0).numpy()[outside].any(), (row.name, (y, x), row.placement)
    assert gated or name not in GATED


@pytest.mark.parametrize("cell", [(0, 0), (19, 3), (7, 23)])
def test_field_behind_a_gate_holds_the_picture_from_every_cell(cell: tuple[int, int]) -> None:
    module, size = positive(Gated()), (20, 24)
    row = table(module, torch.zeros(1, 3, *size, dtype=torch.float64))["end"]
    assert predicted(row, size, cell) == (slice(0, 20), slice(0, 24)) == reached(module, "end", size, cell)
    assert row.placement is not None
    assert row.placement.gated
    assert row.placement.patch == (3, 3), "what a cell looks at, without the gate"


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_places_in_the_zoo(name: str) -> None:
    """ResNet-type cells at 32·i, VGG at 32·i + 15.5; every pixel that reaches a cell lies in its field."""
    models = pytest.importorskip("torchvision.models")
    extra = {"init_weights": False} if name == "googlenet" else {}
    module = positive(models.get_model(name, weights=None, **extra))
    layers = table(module, torch.zeros(1, 3, 128, 128, dtype=torch.float64))
    layer, start, jump = ZOO[name]
    placement = layers[layer].placement
    assert placement is not None
    assert (placement.start, placement.jump) == ((start, start), (jump, jump))
    maps = [row for row in layers.rows if row.spatial and row.placement is not None]
    for row in maps[:: max(len(maps) // 6, 1)]:
        cell = (row.shape[1] // 2, row.shape[2] // 2)
        found, told = reached(module, row.name, (128, 128), cell), predicted(row, (128, 128), cell)
        assert all(within(f, t) for f, t in zip(found, told, strict=True)), (row.name, found, told)
