"""Right for the right reasons: the penalty against its formula, and decoys that are given up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning.reasons import Reader, cams, exchanging, gradients, integrated, kept
from pellucid.learning.tasks import digits
from pellucid.learning.train import Passed, Recipe, train
from tests.test_every_method import labeled, tiny


def batch(module: nn.Module, count: int = 3) -> tuple[Passed, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(count, 3, 32, 32, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.arange(count) % 3
    masks = (torch.rand(count, 1, 32, 32, generator=generator) < 0.3).double()
    return Passed(module, inputs, module(inputs), labels, torch.arange(count)), masks


def test_the_penalty_is_that_of_the_paper_and_its_slope_is_right() -> None:
    """Σ (A ∂/∂x Σ_k log p_k)² image by image; its derivative by a weight against finite differences."""
    net = tiny()
    module = net.module.eval()
    shown, masks = batch(module)
    found = gradients(Reader(net))(shown, masks)
    for i in range(3):
        one = shown.inputs[i : i + 1].detach().clone().requires_grad_()
        module(one).log_softmax(1).sum().backward()
        assert found[i].item() == pytest.approx(((masks[i] * one.grad[0]) ** 2).sum().item(), rel=1e-9)
    weight = module.head.weight
    (slope,) = torch.autograd.grad(found.sum(), weight)
    ends = []
    for way in (1e-5, -1e-5):
        with torch.no_grad():
            weight[0, 0] += way
        again, _ = batch(module)
        ends.append(float(gradients(Reader(net))(again, masks).sum().detach()))
        with torch.no_grad():
            weight[0, 0] -= way
    assert float(slope[0, 0]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)


def test_grad_cam_and_integrated_gradients_inside_the_masks() -> None:
    net = tiny()
    module = net.module.eval()
    with kept(module, "stem") as held:
        shown, masks = batch(module)
        found = cams(Reader(net), held)(shown, masks)
        maps = held.last
        for i in range(3):
            (slope,) = torch.autograd.grad(shown.output.log_softmax(1)[i, shown.labels[i]], maps, retain_graph=True)
            cam = (slope[i].mean((1, 2))[:, None, None] * maps[i]).sum(0).relu()
            cells = masks[i, 0].reshape(16, 2, 16, 2).mean((1, 3))
            wanted = float(((cells * cam).sum() / (cam.sum() + 1e-12)).detach()) ** 2
            assert found[i].item() == pytest.approx(wanted, rel=1e-6)
    assert found.max() > 0
    assert isinstance(module.stem, nn.Sequential)
    shown, masks = batch(module)
    found = integrated(Reader(net))(shown, masks)
    total = torch.zeros_like(shown.inputs)
    for share in (0.125, 0.375, 0.625, 0.875):
        at = (share * shown.inputs.detach()).requires_grad_()
        module(at).log_softmax(1).gather(1, shown.labels[:, None]).sum().backward()
        total += at.grad / 4
    wanted = ((masks * total * shown.inputs) ** 2).flatten(1).sum(1)
    assert torch.allclose(found, wanted, rtol=1e-6)


def test_the_masked_part_is_that_of_another_image() -> None:
    """The cross entropy of each image, its masked pixels those of the one before it in the batch."""
    net = tiny()
    module = net.module.eval()
    shown, masks = batch(module)
    found = exchanging(Reader(net))(shown, masks)
    for i in range(3):
        mixed = shown.inputs[i].detach().clone()
        inside = masks[i].bool().expand(3, -1, -1)
        mixed[inside] = shown.inputs[i - 1].detach()[inside]
        said = module(mixed[None]).log_softmax(1)[0, shown.labels[i]]
        assert found[i].item() == pytest.approx(-said.item(), rel=1e-9)


def decoys(seed: int) -> tuple[tuple[Tensor, Tensor], np.ndarray, tuple[Tensor, Tensor]]:
    """Digits with a gray patch in a random corner that says the class (Ross et al. 2017, section 4.3), the masks, and
    other digits whose patches say nothing."""
    task, chance = digits(1000, seed), np.random.default_rng(seed)
    found = []
    for part, says in ((task.train, True), (task.test, False)):
        inputs = nn.functional.pad(part.inputs, (2, 2, 2, 2))
        masks = np.zeros((len(inputs), 12, 12), bool)
        for i, label in enumerate(part.labels.tolist()):
            y, x = (10 * int(one) for one in chance.integers(2, size=2))
            gray = 1 - (label if says else int(chance.integers(10))) / 10
            inputs[i, :, y : y + 2, x : x + 2] = gray
            masks[i, y : y + 2, x : x + 2] = True
        found.append((inputs, part.labels, masks))
    return (found[0][0], found[0][1]), found[0][2], (found[1][0], found[1][1])


def perceptron(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(144, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 10)
        )


@pytest.mark.slow
@pytest.mark.parametrize("strength", [1e-3, 100.0])
def test_decoy_digits_are_repaired(strength: float) -> None:
    """From random weights, as in the paper: with the penalty the decoy is given up, whatever its strength."""
    pytest.importorskip("sklearn")
    data, masks, test = decoys(0)
    net = pl.load(perceptron(0), size=12, channels=1, mean=(0.0,), std=(1.0,))
    found = pl.training.right_reasons(net, data, masks=masks, strength=strength, recipe="epochs=40,lr=0.002", test=test)
    _, control, repaired = found["networks"].rows
    assert control["test"] < 0.87
    assert control["share"] > 0.05
    assert repaired["test"] > 0.93
    assert repaired["share"] < 0.01


@pytest.mark.slow
def test_a_trained_network_is_repaired_and_handed_back(tmp_path: Path) -> None:
    """The strength is found, the file holds the repaired network, and the given one is as before."""
    pytest.importorskip("sklearn")
    data, masks, test = decoys(1)
    data, masks = (data[0][:500], data[1][:500]), masks[:500]
    module = perceptron(1)
    train(module, data, Recipe(25, 32, "adam", 2e-3))
    net = pl.load(module, size=12, channels=1, mean=(0.0,), std=(1.0,))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    file = tmp_path / "repaired.safetensors"
    found = pl.training.right_reasons(net, data, masks=masks, recipe="epochs=12,lr=0.002", test=test, save=str(file))
    given, control, repaired = found["networks"].rows
    assert repaired["test"] > max(given["test"], control["test"]) + 0.05
    assert repaired["exchanged"] > given["exchanged"] + 0.1
    assert repaired["share"] < 0.02 < given["share"]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    again = pl.load(perceptron(2), weights=file, size=12, channels=1, mean=(0.0,), std=(1.0,))
    right = np.mean([again.run(test[0]).output.argmax(1).numpy() == test[1].numpy()])
    assert right == pytest.approx(repaired["test"])


@pytest.mark.parametrize(("how", "why"), [
    ({"save": "x.pt"}, "save='x.pt': a file ending in .safetensors"),
    ({"recipe": "epoch=3"}, "no part of a recipe 'epoch'.*epochs"),
    ({"recipe": "epochs=many"}, "epochs is a number"),
    ({"reasons": "head"}, "no such layer with maps"),
    ({"masks": np.zeros((12, 32, 32))}, "so there is nothing to avoid"),
])  # fmt: skip
def test_what_cannot_be_is_refused(how: dict[str, object], why: str) -> None:
    with pytest.raises(PellucidError, match=why):
        pl.training.right_reasons(tiny(), labeled(), **{"masks": "top left", "recipe": "epochs=1", **how})
