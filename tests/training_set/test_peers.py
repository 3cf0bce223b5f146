"""captum 0.9 and curvlinops 3.0 on the digits: where they agree, and where they leave something out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.training_set.curvature import Curvature, with_one
from pellucid.training_set.influence import by_last_layer, dots
from tests.training_set.test_influence import PENALTY, asked, digits, examples, left_out, losses

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Layer(nn.Module):
    """A last layer, and nothing before it."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.head = nn.Linear(weight.shape[1], len(bias)).double()
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight))
            self.head.bias.copy_(torch.from_numpy(bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x)


def doubled(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(x.astype(np.float64))


def test_captum_leaves_out_the_bias_of_tracin(tmp_path: Path) -> None:
    influence: Any = pytest.importorskip("captum.influence")
    x, y, tx, ty = digits(100)
    some = examples(x, y)
    model = Layer(some.weight, some.bias)
    torch.save(model.state_dict(), tmp_path / "0.pt")
    data = torch.utils.data.TensorDataset(doubled(x), torch.from_numpy(y))
    loss = nn.CrossEntropyLoss(reduction="sum")
    theirs = influence.TracInCPFast(model, model.head, data, [str(tmp_path / "0.pt")], loss_fn=loss, batch_size=25)
    found = theirs.influence((doubled(tx), torch.from_numpy(ty))).detach().numpy()
    wrong = asked(some, tx).probabilities
    wrong[np.arange(len(ty)), ty] -= 1
    mine = dots(with_one(tx), wrong, some)
    bias = dots(np.ones((len(tx), 1)), wrong, examples_without(some))
    assert np.allclose(found, mine - bias, rtol=1e-4, atol=1e-6)
    assert not np.allclose(found, mine, rtol=0.02)


def examples_without(some: Any) -> Any:
    """The same examples without any feature but the 1 of the bias."""
    from dataclasses import replace

    return replace(some, features=some.features[:, :0], weight=some.weight[:, :0])


def test_gradients_alone_are_no_influence() -> None:
    x, y, tx, ty = digits(150)
    some = examples(x, y)
    here = asked(some, tx)
    before = losses(some.weight, some.bias, tx, ty)
    truth = np.stack([losses(*left_out(x, y, i), tx, ty) - before for i in range(len(y))], 1)
    wrong = here.probabilities
    wrong[np.arange(len(ty)), ty] -= 1

    def pearson(found: np.ndarray) -> float:
        return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(found, truth, strict=True)]))

    mine, plain = pearson(by_last_layer(some, here, ty, PENALTY).scores), pearson(dots(with_one(tx), wrong, some))
    assert mine > 0.99 > 0.9 > plain


def test_curvlinops_has_the_same_curvature() -> None:
    curvlinops: Any = pytest.importorskip("curvlinops")
    x, y, _, _ = digits(40)
    some = examples(x, y)
    model = Layer(some.weight, some.bias)
    parameters = [model.head.weight, model.head.bias]
    batches = [(doubled(x), torch.from_numpy(y))]
    theirs = curvlinops.GGNLinearOperator(model, nn.CrossEntropyLoss(), parameters, batches)
    v = np.random.default_rng(0).normal(size=(1, 10, 65))
    weight, bias = theirs @ [torch.from_numpy(v[0, :, :-1].copy()), torch.from_numpy(v[0, :, -1].copy())]
    mine = Curvature(some.features, some.probabilities, PENALTY).times(v)[0] - PENALTY * v[0]
    assert np.allclose(np.concatenate([weight.detach().numpy(), bias.detach().numpy()[:, None]], 1), mine, atol=1e-8)
