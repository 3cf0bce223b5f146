"""Pruning, against torch's own on a copy, a network whose answer is known, and a published one's measured figures."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

import pellucid as pl
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.learning.masks import prunable, pruned, retrained
from pellucid.learning.objective import tensors_of
from pellucid.learning.removal import removable, without
from pellucid.methods.training._pruned import enough
from pellucid.net.answers import Answers
from tests.methods.training.networks import cifar
from tests.test_every_method import labeled, tiny

Shared = Callable[[str], Path]


@pytest.mark.parametrize("kept", [0.9, 0.55, 0.2, 0.03])
def test_it_takes_away_what_torch_takes_away(kept: float) -> None:
    net = tiny()
    weights, axes, left = prunable(net)
    assert not left
    copied = copy.deepcopy(net.module)
    parts = [(part, "weight") for part in copied.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    assert len(parts) == len(weights)
    prune.global_unstructured(parts, prune.L1Unstructured, amount=1 - kept)
    for (part, _), value in zip(parts, pruned(weights, axes, kept, "magnitude").values(), strict=True):
        assert torch.equal(part.weight, value)
    for scheme in ("layer magnitude", "channels"):
        copied = copy.deepcopy(net.module)
        for name, value in pruned(weights, axes, kept, scheme).items():
            part = copied.get_submodule(name.removesuffix(".weight"))
            if scheme == "channels":
                prune.ln_structured(part, "weight", 1 - kept, n=2, dim=0)
            else:
                prune.l1_unstructured(part, "weight", 1 - kept)
            assert torch.equal(part.weight, value), (scheme, name)


def test_the_accuracy_is_that_of_a_pruned_copy() -> None:
    net, data = tiny(), labeled()
    found = pl.training.pruning(net, data, kept=(0.3,), controls=2)
    copied = copy.deepcopy(net.module)
    parts = [(part, "weight") for part in copied.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    prune.global_unstructured(parts, prune.L1Unstructured, amount=0.7)
    (row,) = [row for row in found["kept"].rows if (row["scheme"], row["kept"]) == ("magnitude", 0.3)]
    told = [net.with_module(copied).run(batch.images).log_probabilities for batch in net.over(data)]
    log_p = torch.cat(told)
    labels = torch.as_tensor(data.on(net).labels)
    assert row["accuracy"] == float((log_p.argmax(1) == labels).double().mean())
    assert row["nll"] == pytest.approx(float(-log_p[torch.arange(len(labels)), labels].mean()), abs=1e-12)
    assert row["nonzero"] == pytest.approx(0.3, abs=1e-3)


class Needle(nn.Module):
    """Three classes by a few large weights, among many that are small and do nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.head = nn.Linear(3 * 32 * 32, 30, bias=False), nn.Linear(30, 3, bias=False)
        with torch.no_grad():
            self.read.weight.copy_(1e-6 * torch.randn(30, 3 * 32 * 32))
            self.head.weight.copy_(1e-6 * torch.randn(3, 30))
            for k in range(3):
                self.read.weight[k, k] = self.head.weight[k, k] = 9.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x.flatten(1)))


def test_enough_is_what_the_answer_hangs_on() -> None:
    labels = np.arange(60) % 3
    pixels = np.zeros((60, 3, 32, 32))
    pixels[np.arange(60), 0, 0, labels] = 1
    net = tiny().with_module(Needle().double())
    net = pl.Net(net.module, "needle", pl.net.Preprocess(resize=32, crop=(32, 32), mean=(0.0,) * 3, std=(1.0,) * 3))
    found = pl.training.pruning(net, (pixels, labels), kept=(0.5, 0.1, 0.01, 0.0001), controls=4)
    assert found.meta.found["enough"] == 0.0001
    lines = found.curves["accuracy"]
    assert (lines["magnitude"].values == 1).all()
    assert lines["random"].values[0] < 0.6
    assert found["kept"]["spread"][-1] == 0


def test_weights_that_are_computed_stay_and_are_named() -> None:
    net = tiny()
    parametrizations.weight_norm(net.module.last)
    found = pl.training.pruning(net, labeled(), kept=(0.5,), controls=1)
    assert any("last.weight" in note for note in found.meta.notes)
    assert all("last" not in str(name) for name in found["layers"]["weight"])
    with pytest.raises(PellucidError, match="no weights of convolutions or linear layers"):
        prunable(net.with_module(nn.Flatten()))


def test_retraining_keeps_what_is_zero_and_is_judged_by_other_images() -> None:
    net, data = tiny(), labeled(24)
    weights, axes, _ = prunable(net)
    values = pruned(weights, axes, 0.3, "magnitude")
    given = tensors_of(net, data.on(net).shuffled(0).part(0, 12))
    module = retrained(net, values, given, 4, 0).module
    for name, value in values.items():
        now = module.get_parameter(name)
        assert torch.equal(now == 0, value == 0), name
        assert not torch.equal(now, value), name
    found = pl.training.pruning(net, data, kept=(0.3,), controls=1, steps=4)
    (row,) = [row for row in found["kept"].rows if (row["scheme"], row["kept"]) == ("magnitude, retrained", 0.3)]
    rest = data.on(net).shuffled(0).part(12, 24)
    told = torch.cat([net.with_module(module).run(batch.images).scores.argmax(1) for batch in net.over(rest)])
    assert row["accuracy"] == float((told.numpy() == rest.labels).mean())
    assert found.curves["accuracy"]["magnitude, retrained"].group == "magnitude"


class Blocks(nn.Module):
    """A residual block, a plain convolution that keeps the shape, and layers that do not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.block = nn.Conv2d(3, 4, 3, padding=1), Block()
        self.plain, self.head = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.plain(self.block(self.first(x))).mean((2, 3)))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.norm(self.conv(x)).relu()


def test_whole_layers_are_taken_out_where_shapes_allow() -> None:
    net, data = tiny().with_module(Blocks().double().eval()), labeled()
    example = torch.rand(1, 3, 32, 32).double()
    assert removable(net, example) == ("block", "plain.0")
    module = net.module
    h = module.plain[1](module.plain[0](module.first(net.preprocess.normalize(example))))
    assert torch.allclose(without(net, ["block"]).run(example).scores, module.head(h.mean((2, 3))))
    rows = pl.training.pruning(net, data, kept=(0.5,), controls=1)["removed"].rows
    total = sum(p.numel() for p in module.parameters())
    assert {row["layer"] for row in rows} == {"", "block", "plain.0"}
    assert rows[-1]["kept"] == pytest.approx(1 - (4 * 4 * 9 + 4 + 8 + 20) / total)
    alone = without(net, [str(rows[1]["layer"])])
    right = torch.cat([alone.run(batch.images).scores.argmax(1) == batch.labels for batch in net.over(data)])
    assert rows[1]["accuracy"] == rows[1]["alone"] == float(right.double().mean())
    assert isinstance(module.block, Block)


def test_how_few_are_enough_has_an_interval() -> None:
    """Of 100 images 2 are lost at 0.5 and 40 at 0.2; 3 may be."""

    def answers(lost: int) -> Answers:
        labels = np.zeros(100, np.int64)
        given = np.where(np.arange(100) < lost, 1, 0)
        return Answers(np.log(np.where(np.arange(2) == given[:, None], 0.9, 0.1)), labels, ("",) * 100)

    found = {("magnitude", share): [(answers(lost), share)] for share, lost in ((1.0, 0), (0.5, 2), (0.2, 40))}
    assert enough(found, [0.2, 0.5, 1.0], answers(0), 0.03) == (0.5, 0.5, 1.0)  # 2 ± 2.7 may be more than 3
    assert enough(found, [0.2, 0.5, 1.0], answers(0), 0.01) == (1.0, 0.5, 1.0)
    assert enough(found, [0.2, 0.5, 1.0], answers(0), 0.6) == (0.2, 0.2, 0.2)


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_resnet20(shared: Shared) -> None:
    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        some = torch.randperm(4000, generator=torch.Generator().manual_seed(0))[:500].numpy()
        pixels = torch.from_numpy(file["x"][some]).permute(0, 3, 1, 2)
        data = Data.of((pixels, file["y"][some].astype(np.int64)))
    found = pl.training.pruning(cifar(shared, "resnet20"), data, kept=(0.5, 0.2), controls=1)
    lines = found.curves["accuracy"]
    assert np.allclose(lines["magnitude"].values[::-1], (0.912, 0.886, 0.438), atol=0.003)
    assert np.allclose(lines["layer magnitude"].values[::-1], (0.912, 0.886, 0.266), atol=0.003)
    assert np.allclose(lines["channels"].values[:0:-1], (0.912, 0.110), atol=0.003)
    assert lines["magnitude"].values[-2] - lines["random"].values[-2] > 0.7
    assert 0.2 <= lines.marks[0].at <= 0.5
