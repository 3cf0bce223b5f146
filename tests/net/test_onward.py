"""What comes before a layer, run once for many changes of its output: the rows are those of whole passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pellucid.net import Net, Preprocess
from pellucid.net.onward import Onward

PLAIN = Preprocess()
PIXELS = torch.rand((1, 3, 8, 8), generator=torch.Generator().manual_seed(0))


class Parts(nn.Module):
    """A stem, a middle and a head, put together by a function."""

    def __init__(self, joined: Callable[[Parts, Tensor], Tensor], wide: int = 4) -> None:
        super().__init__()
        self.joined = joined
        self.stem, self.middle = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head, self.drop = nn.Linear(wide, 5), nn.Dropout()
        self.rows: list[int] = []
        self.stem.register_forward_pre_hook(lambda _, given: self.rows.append(len(given[0])))

    def forward(self, x: Tensor) -> Tensor:
        return self.joined(self, x)


def straight(net: Parts, x: Tensor) -> Tensor:
    return net.head(net.middle(net.stem(x).relu()).relu().mean((2, 3)))


def residual(net: Parts, x: Tensor) -> Tensor:
    stem = net.stem(x).relu()
    return net.head((stem + net.middle(stem)).relu_().mean((2, 3)))


def added_in_place(net: Parts, x: Tensor) -> Tensor:
    stem = net.stem(x).relu()
    stem += net.middle(stem)
    return net.head(stem.mean((2, 3)))


def joined(net: Parts, x: Tensor) -> Tensor:
    stem = net.stem(x).relu()
    return net.head(torch.cat([stem, net.middle(stem)], 1).mean((2, 3)))


def by_the_number_of_images(net: Parts, x: Tensor) -> Tensor:
    """The flat features of all rows of a pass, averaged in groups: of the right shape for one image only."""
    maps = net.middle(net.stem(x))
    return net.head(maps.reshape(len(x), -1, 4).mean(1))


def noisy(net: Parts, x: Tensor) -> Tensor:
    return straight(net, x + torch.rand_like(x))


def changes(output: Tensor) -> Tensor:
    """Four rows: each channel in turn set to zero."""
    return torch.where(torch.eye(4, dtype=torch.bool)[:, :, None, None], 0, output)


def one_of(channel: int) -> Callable[[Tensor], Tensor]:
    return lambda output: changes(output)[channel : channel + 1]


@pytest.mark.parametrize(
    ("how", "wide", "shares"),
    [
        (straight, 4, True),
        (residual, 4, True),
        (added_in_place, 4, False),
        (joined, 8, False),
        (by_the_number_of_images, 4, False),
    ],
)
def test_rows_are_those_of_whole_passes(how: Callable[[Parts, Tensor], Tensor], wide: int, shares: bool) -> None:
    torch.manual_seed(0)
    module = Parts(how, wide)
    net = Net(module, preprocess=PLAIN)
    passes = Onward(net, PIXELS, "middle", ["head"])
    assert passes.shares == shares
    module.rows.clear()
    run = passes.run(4, changes)
    assert module.rows == [1 if shares else 4]
    wanted = [net.run(PIXELS, edit={"middle": one_of(channel)}).scores for channel in range(4)]
    assert torch.allclose(run.scores, torch.cat(wanted), atol=1e-6)
    assert torch.equal(run["head"], run.scores)
    assert passes.at_once >= 4


def test_a_layer_before_that_is_wanted_too_must_have_all_rows() -> None:
    assert not Onward(Net(Parts(straight), preprocess=PLAIN), PIXELS, "middle", ["stem"]).shares


def test_a_network_that_draws_random_numbers_runs_row_by_row() -> None:
    passes = Onward(Net(Parts(noisy), preprocess=PLAIN), PIXELS, "middle")
    assert not passes.shares
    assert passes.at_once == 1
    assert passes.run(1, one_of(2)).scores.shape == (1, 5)


def test_more_rows_fit_behind_a_narrow_layer() -> None:
    net = Net(nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 2, 8), nn.Flatten()), preprocess=PLAIN)
    assert net.layers((8, 8)).widest_from("0") == 64 * 64
    assert net.layers((8, 8)).widest_from("1") == 2
    assert net.chunk((224, 224), grad=False, after="1") > net.chunk((224, 224), grad=False)
