"""Time of a place on a loss surface, beside loss-landscapes in the same run; and that both measure the same.

python benchmarks/landscape.py            # needs `pip install loss-landscapes`; without it only our own figures
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import pellucid as pl
from pellucid.ambient import freed_memory_kept
from pellucid.loss.directions import Direction
from pellucid.loss.ground import Ground

POINTS, IMAGES, ROUNDS = 7, 256, 5


class Block(nn.Module):
    """Two convolutions and a skip."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.a, self.n = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.b, self.m = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        same = before == after
        self.skip = nn.Identity() if same else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both ways."""
        return torch.relu(self.m(self.b(torch.relu(self.n(self.a(x))))) + self.skip(x))


def small() -> nn.Module:
    """A ResNet-8 for images of 32 pixels."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    wide = 16
    for stage, width in enumerate((16, 32, 64)):
        layers.append(Block(wide, width, 2 if stage else 1))
        wide = width
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 10)).eval()
    for part in net.modules():  # the peer divides by zero where a parameter is exactly 0
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.bias, std=0.1)
    return net


def seconds(call: Callable[[], object]) -> float:
    """Of CPU time."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Print the medians, and the largest difference."""
    torch.set_num_threads(1)
    module, images, labels = small(), torch.rand(IMAGES, 3, 32, 32), torch.randint(0, 10, (IMAGES,))
    net = pl.Net(module, "resnet8", pl.net.Preprocess(resize=32, crop=(32, 32)))
    ground = Ground.of(net, pl.Data.of((images, labels)).on(net), None, "frozen")
    directions = ground.directions(Direction(), 0, 2)
    at = ground.at(directions)
    places = [(x / 3, y / 3) for y in range(-3, 4) for x in range(-3, 4)]
    state = {name: value.clone() for name, value in module.state_dict().items()}

    def ours() -> list[float]:
        with freed_memory_kept():  # as every method over many images
            return [float(at(place)[0, 0]) for place in places]

    def loaded() -> list[float]:
        """As everybody writes it: load the moved weights, run, measure."""
        found = []
        for x, y in places:
            moved = {
                k: v + x * directions[0][k] + y * directions[1][k] if k in directions[0] else v
                for k, v in state.items()
            }
            module.load_state_dict(moved)
            with torch.no_grad():
                found.append(float(nn.functional.cross_entropy(module(images), labels)))
        module.load_state_dict(state)
        return found

    fused = copy.deepcopy(module)
    for one in fused.modules():
        if isinstance(one, Block):
            one.a, one.n = fuse_conv_bn_eval(one.a, one.n), nn.Identity()
            one.b, one.m = fuse_conv_bn_eval(one.b, one.m), nn.Identity()
    fused[0], fused[1] = fuse_conv_bn_eval(fused[0], fused[1]), nn.Identity()
    fused.to(memory_format=torch.channels_last)
    batches = [some.contiguous(memory_format=torch.channels_last) for some in images.split(128)]

    def alone() -> None:
        """The passes and nothing else, norms fused once and for all: what no place can cost less than."""
        with freed_memory_kept(), torch.inference_mode():
            for _ in places:
                for some in batches:
                    fused(some)

    most = max(abs(one - other) / max(other, 1) for one, other in zip(ours(), loaded(), strict=True))
    calls: dict[str, Callable[[], object]] = {
        "pellucid": ours,
        "the passes alone": alone,
        "load_state_dict and run": loaded,
    }
    try:
        import loss_landscapes
        import loss_landscapes.metrics

        metric = loss_landscapes.metrics.Loss(nn.CrossEntropyLoss(), images, labels)
        calls["loss-landscapes"] = lambda: loss_landscapes.random_plane(
            module, metric, distance=1, steps=POINTS, normalization="filter", deepcopy_model=True
        )
    except ImportError:
        print("loss-landscapes is not installed")
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(1000 * seconds(call) / POINTS**2)
    for name, each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, times["pellucid"], strict=True))
        print(f"{name}: {statistics.median(each):.1f} ms a place ({min(each):.1f}–{max(each):.1f}), {ratio:.2f} × ours")
    print(f"largest difference from load_state_dict and run: {most:.1e}")


if __name__ == "__main__":
    main()
