"""dattri 0.3 on the digits. It is no part of the extra `peers`: its wheel puts folders docs, examples, experiments and
test beside the installed packages. `pip install --target FOLDER --no-deps dattri==0.3.0` keeps them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from pellucid.training_set.influence import by_last_layer
from tests.training_set.test_influence import PENALTY, asked, digits, examples
from tests.training_set.test_peers import Layer, doubled

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
WHY = "needs dattri, which is no part of the extra: its wheel puts docs, examples and test beside the packages"


def loaders(*parts: tuple[np.ndarray, np.ndarray]) -> list[DataLoader[Any]]:
    sets = [TensorDataset(doubled(x), torch.from_numpy(y)) for x, y in parts]
    return [DataLoader(one, batch_size=len(one), shuffle=False) for one in sets]


def test_their_explicit_inverse_and_conjugate_gradients_are_the_last_layer() -> None:
    task: Any = pytest.importorskip("dattri.task", reason=WHY)
    theirs: Any = pytest.importorskip("dattri.algorithm.influence_function", reason=WHY)
    x, y, tx, ty = digits(100)
    some = examples(x, y)
    model = Layer(some.weight, some.bias)

    def loss(params: dict[str, torch.Tensor], data: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        said = torch.func.functional_call(model, params, data[0].reshape(-1, 64))
        return nn.functional.cross_entropy(said, data[1].reshape(-1))

    given = task.AttributionTask(loss_func=loss, model=model, checkpoints=model.state_dict())
    train, test = loaders((x, y), (tx, ty))
    mine = by_last_layer(some, asked(some, tx), ty, PENALTY).scores
    for way, how in (
        (theirs.IFAttributorExplicit, {}),
        (theirs.IFAttributorCG, {"max_iter": 300, "tol": 1e-10}),
    ):
        attributor = way(given, regularization=PENALTY, **how)
        attributor.cache(train)
        found = attributor.attribute(train, test).detach().numpy().T / len(y)
        assert np.abs(found - mine).max() < 1e-4 * np.abs(mine).max()
