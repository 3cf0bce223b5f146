"""Lottery tickets: which weights go, where those that stay start, and that the others stay zero."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn.utils import prune

import pellucid as pl
from pellucid.learning.experiment import Experiment
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP
from pellucid.learning.tasks import digits
from pellucid.learning.tickets import elsewhere, fewer, masked
from pellucid.learning.train import Recipe, evaluated, train
from pellucid.net import Net, Preprocess
from tests.methods.training.test_gradient_flow import HOW, data

RECIPE = Recipe(epochs=3, optimizer="adam", lr=1e-3)


def test_the_smallest_go_and_none_comes_back() -> None:
    weight = torch.tensor([[4.0, -1.0, 0.5], [-3.0, 2.0, -0.1]])
    mask = fewer(weight, torch.ones(2, 3, dtype=torch.bool), 1 / 3)
    assert mask.tolist() == [[True, True, False], [True, True, False]]
    weight[0, 2] = 9.0
    mask = fewer(weight, mask, 0.5)
    assert mask.tolist() == [[True, False, False], [True, False, False]]
    others = elsewhere({"a": mask}, 0, 1)["a"]
    assert int(others.sum()) == 2


def test_counts_of_the_masks_are_those_of_the_paper() -> None:
    """The share of each hidden layer, half of it of the one that makes the classes."""
    net = Net(MLP(64, 10, depth=2, width=20), "mlp", HOW)
    found = pl.training.lottery_tickets(net, data(40), rounds=3, pruned=0.4, epochs=1, repeats=1, samples=24)
    left, wanted = [64 * 20, 20 * 20, 20 * 10], []
    for _ in range(4):
        wanted.append(sum(left))
        left = [n - round(share * n) for n, share in zip(left, (0.4, 0.4, 0.2), strict=True)]
    for kind in ("ticket", "new weights", "random mask"):
        counts = [row["weights"] for row in found["tickets"].rows if row["kind"] == kind]
        assert counts == (wanted if kind == "ticket" else wanted[1:])


def test_a_ticket_is_trained_as_torch_prunes() -> None:
    """Rewound weights under masks of `torch.nn.utils.prune`, whose gradients never reach what is gone."""
    net = Net(MLP(64, 10, depth=1, width=20), "mlp", HOW)
    experiment = Experiment.of(net, data(40), 24, 0)
    module, names = initialized(net.module, "he", 0), ("hidden.0.linear", "head")
    whole = train(copy.deepcopy(module), experiment.given, RECIPE).module
    pruned = copy.deepcopy(module)
    masks = {}
    for name, share in zip(names, (0.6, 0.3), strict=True):
        sizes = whole.get_submodule(name).weight.detach().abs()
        mask = sizes > sizes.flatten().sort().values[round(share * sizes.numel()) - 1]
        prune.custom_from_mask(pruned.get_submodule(name), "weight", mask)
        masks[f"{name}.weight"] = mask
    train(pruned, experiment.given, RECIPE)
    ticket = copy.deepcopy(module)
    first = {name: value.clone() for name, value in module.state_dict().items()}
    accuracies = masked(ticket, first, masks, experiment, RECIPE, 0)
    for name in names:
        assert torch.allclose(ticket.get_submodule(name).weight, pruned.get_submodule(name).weight, atol=1e-6)
        assert torch.equal(ticket.get_submodule(name).weight != 0, masks[f"{name}.weight"])
    assert accuracies == (evaluated(pruned, experiment.test)[1], evaluated(pruned, experiment.given)[1])
    found = pl.training.lottery_tickets(net, data(40), rounds=1, pruned=0.6, epochs=3, repeats=1, samples=24)
    row = found["tickets"].rows[1]
    assert (row["accuracy"], row["train accuracy"]) == accuracies


@pytest.mark.slow
def test_tickets_train_better_than_their_controls() -> None:
    """Reference, kept 1/.43/.19/.085/.039/.018: ticket .944/.944/.940/.921/.873/.641, new weights .941/.925/.898/.704/
    .347/.206 (half as many steps as here)."""
    pytest.importorskip("sklearn")
    net = Net(MLP(64, 10, depth=2, width=128), "mlp", Preprocess(channels=1, crop=(8, 8)))
    found = pl.training.lottery_tickets(net, digits(1796).data, rounds=2, pruned=0.8, epochs=15)
    at = {(row["kind"], row["round"]): row for row in found["tickets"].rows}
    assert at["ticket", 2]["kept"] == pytest.approx(0.056, abs=0.01)
    assert at["ticket", 1]["accuracy"] > at["ticket", 0]["accuracy"] - 0.03
    for control in ("new weights", "random mask"):
        assert at["ticket", 2]["accuracy"] > at[control, 2]["accuracy"] + 0.1
