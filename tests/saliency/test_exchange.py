"""Exchange of cells: behind a mean over places and a linear layer the best order is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.rng import generator
from pellucid.saliency.exchange import Cells, at_random, exchanged
from pellucid.saliency.pairs import boxes, pasted

NAMES = ["cat", "dog", "wolf", "fox"]


class Averaged(nn.Module):
    """A convolution with a stride, a rectifier, the mean over places, and a linear layer."""

    def __init__(self, classes: int = 4, seed: int = 5) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv, self.act = nn.Conv2d(3, 16, 4, stride=4), nn.ReLU()
            self.head = nn.Linear(16, classes)
        self.head.weight.data *= 40
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.conv(x)).mean((2, 3)))


def averaged(classes: int = 4, seed: int = 5) -> Net:
    preprocess = Preprocess(24, (24, 24), "bicubic", (0.5,), (0.25,))
    return Net(Averaged(classes, seed), "averaged", preprocess, Labels.plain(NAMES[:classes]))


def photo(seed: int, size: int = 24) -> Images:
    """Blocks of color, so that places differ."""
    values = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(seed))
    values = values.repeat_interleave(size // 6, 1).repeat_interleave(size // 6, 2)
    return Images.from_pictures([(255 * values).byte()], [f"photo {seed}"])


def pairs(classes: int) -> list[tuple[Net, Images, Images, tuple[int, int]]]:
    """Pairs of images with different answers."""
    found = []
    for seed in range(150):
        net, one, two = averaged(classes, seed), photo(seed), photo(seed + 100)
        answers = [int(net.run(net.prepare(each)).output.argmax()) for each in (one, two)]
        if answers[0] != answers[1]:
            found.append((net, one, two, (answers[0], answers[1])))
        if len(found) == 6:
            break
    return found


def closed(net: Net, cells: Cells, classes: tuple[int, int]) -> tuple[np.ndarray, float]:
    """((cells, donors) what each exchange adds to the difference of both logits, that difference at first)."""
    weight, bias = (one.detach().numpy() for one in (net.module.head.weight, net.module.head.bias))
    apart = weight[classes[1]] - weight[classes[0]]
    own, other = (one.flatten(1).numpy().astype(np.float64) for one in (cells.own, cells.other))
    gains = np.array([[apart @ (v - u) for v in other.T] for u in own.T]) / own.shape[1]
    return gains, float(apart @ own.mean(1) + bias[classes[1]] - bias[classes[0]])


def fewest(gains: np.ndarray, margin: float) -> int:
    """How many exchanges the best order takes, where cells of the other may repeat."""
    best = np.sort(gains.max(1))[::-1]
    return int(np.argmax(margin + best.cumsum() > 0)) + 1


def made(net: Net, one: Images, two: Images) -> Cells:
    return Cells.of(net, net.prepare(one).pixels, net.prepare(two).pixels, "act")


def test_of_two_classes_the_search_is_the_closed_form() -> None:
    found = pairs(2)
    assert len(found) == 6
    for net, one, two, classes in found:
        cells = made(net, one, two)
        gains, margin = closed(net, cells, classes)
        result = exchanged(cells, classes, repeat=True, tries=5000, what="x")
        assert result.reached
        assert len(result.cells) == fewest(gains, margin)
        odds = np.log(result.probabilities[:, 1] / result.probabilities[:, 0])
        steps = [gains[i, j] for i, j in result.cells]
        assert np.allclose(np.diff(odds), steps, atol=1e-6)
        assert np.allclose(steps, np.sort(gains.max(1))[::-1][: len(steps)])
        assert np.isclose(odds[0], margin, atol=1e-6)


def test_of_many_classes_it_is_never_shorter_than_the_closed_form() -> None:
    for net, one, two, classes in pairs(4):
        cells = made(net, one, two)
        result = exchanged(cells, classes, repeat=True, tries=5000, what="x")
        assert len(result.cells) >= fewest(*closed(net, cells, classes))


def test_a_few_tries_that_promise_most_find_the_same_here() -> None:
    """What follows is linear, so that the first order is exact."""
    for net, one, two, classes in pairs(2)[:3]:
        cells = made(net, one, two)
        gains, _ = closed(net, cells, classes)
        assert np.allclose(cells.slopes(np.full(36, -1), classes), gains, atol=1e-9)
        all_tried = exchanged(cells, classes, repeat=True, tries=5000, what="x")
        few = exchanged(cells, classes, repeat=True, tries=5, what="x")
        assert np.array_equal(all_tried.cells, few.cells)


def test_each_cell_of_the_other_once() -> None:
    for net, one, two, classes in pairs(2):
        result = exchanged(made(net, one, two), classes, repeat=False, tries=5000, what="x")
        assert len({*result.cells[:, 0]}) == len({*result.cells[:, 1]}) == len(result.cells)
        assert (np.diff(result.probabilities[:, 1]) > 0).all()


def test_a_planted_region_is_found() -> None:
    """Class 1 is red; the other image is red in one place, and that place is put into the image."""
    net = averaged(2)
    with torch.no_grad():
        net.module.conv.weight.zero_()
        net.module.conv.weight[0, 0] = 1 / 16  # the mean of red
        net.module.conv.bias.zero_()
        net.module.head.weight.zero_()
        net.module.head.weight[1, 0] = 36 * 4.0
        net.module.head.bias.copy_(torch.tensor([3.0, 0.0]))
    gray = torch.full((3, 24, 24), 120, dtype=torch.uint8)
    red = gray.clone()
    red[0, 8:12, 16:20] = 255  # cell (2, 4)
    one, two = (Images.from_pictures([picture], ["x"]) for picture in (gray, red))
    result = exchanged(made(net, one, two), (0, 1), repeat=True, tries=5000, what="x")
    assert result.reached
    assert result.cells[:, 1].tolist() == [2 * 6 + 4] * len(result.cells)


def test_states_are_what_the_layer_hands_on() -> None:
    net, one, two, _ = pairs(4)[0]
    cells = made(net, one, two)
    state = np.full(36, -1)
    state[[3, 20]] = [7, 0]
    wanted = cells.own.clone()
    wanted[:, 0, 3], wanted[:, 3, 2] = cells.other[:, 1, 1], cells.other[:, 0, 0]
    assert torch.equal(cells.activations(state[None])[0], wanted)
    logits = net.module.head(wanted.mean((1, 2))).detach().numpy()
    assert np.allclose(cells.said(state[None])[0], logits - np.log(np.exp(logits).sum()), atol=1e-6)


def test_chance_is_the_first_of_each_order_that_changes_the_answer() -> None:
    net, one, two, (_, wanted) = pairs(4)[0]
    cells = made(net, one, two)
    found = at_random(cells, wanted, repeat=True, draws=3, seed=7, what="here")
    for draw in range(3):
        chance = generator(7, "here", draw)
        places, donors = chance.permutation(36), chance.integers(0, 36, 36)
        state, count = np.full(36, -1), 37
        for t in range(37):
            if int(cells.said(state[None])[0].argmax()) == wanted:
                count = t
                break
            if t < 36:
                state[places[t]] = donors[t]
        assert found[draw] == count


def test_boxes_share_out_the_image() -> None:
    found = boxes(Placement((1.5, 1.5), (4.0, 4.0), (4.0, 4.0)), (6, 6), (24, 24))
    assert found[0].tolist() == [0, 0, 4, 4]
    assert found[13].tolist() == [8, 4, 12, 8]
    assert np.isclose(((found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])).sum(), 24 * 24)
    assert boxes(Placement((11.5, 11.5), (24.0, 24.0), (24.0, 24.0)), (1, 1), (24, 24)).tolist() == [[0, 0, 24, 24]]


def test_pasted_pixels_are_those_of_the_other() -> None:
    one, two = torch.zeros(1, 3, 12, 12), torch.rand(1, 3, 12, 12)
    where, source = np.array([[0.0, 4.0, 4.0, 8.0]]), np.array([[8.0, 8.0, 12.0, 12.0]])
    found = pasted(one, two, where, source)
    assert torch.equal(found[0, :, :4, 4:8], two[0, :, 8:, 8:])
    assert found.count_nonzero() == found[0, :, :4, 4:8].count_nonzero()
    assert not one.any()
    larger = pasted(one, two, np.array([[0.0, 0.0, 6.0, 6.0]]), source)
    assert larger[0, :, :6, :6].all()


@pytest.mark.parametrize("repeat", [True, False])
def test_the_network_is_as_before(repeat: bool) -> None:
    net, one, two, classes = pairs(4)[0]
    before = net.run(net.prepare(one)).output.clone()
    exchanged(made(net, one, two), classes, repeat=repeat, tries=5, what="x")
    assert torch.equal(net.run(net.prepare(one)).output, before)
