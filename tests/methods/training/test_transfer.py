"""Transfer: read-outs and trainings again by hand, what is kept and frozen, and the published shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.data import Data, NewTask
from pellucid.errors import PellucidError
from pellucid.learning.features import features
from pellucid.learning.objective import Tensors
from pellucid.learning.readout import readout
from pellucid.learning.recycled import fitted, head_of, recycled
from pellucid.learning.shots import Shots
from pellucid.net.handed_on import along
from tests.fashion import FOLDER, fashion
from tests.methods.training.networks import c4k, cifar
from tests.test_every_method import labeled, tiny


def five(n: int = 40) -> Data:
    """Images in five classes, where each is bright says which: the tiny network knows three."""
    labels = np.arange(n) % 5
    pixels = np.random.default_rng(1).random((n, 3, 32, 32)) * 0.5
    for i, k in enumerate(labels):
        pixels[i, :, 6 * k : 6 * k + 6] += 0.5
    return Data.of((pixels, labels))


def test_classes_are_those_of_the_data() -> None:
    with pytest.raises(PellucidError, match="none of tiny"):
        pl.training.calibration(tiny(), five())
    task = NewTask.made(five(), tiny())
    assert task.labels.tolist() == five().labels.tolist()
    assert task.item(4)[1] == 4
    assert NewTask.of(task).labels.tolist() == task.labels.tolist()


def test_read_outs_are_those_of_the_features_of_images_that_judge_nothing() -> None:
    net, data = tiny(), five()
    found = pl.training.transfer(net, data, layers=("stem", "relu"), shots=(1, 3), repeats=2, steps=0)
    seen = features(net, NewTask.made(data, net), ("stem", "relu", "pixels"))
    assert {name: rows.shape[1] for name, rows in seen.at.items()} == {"stem": 512, "relu": 588, "pixels": 192}
    with torch.no_grad():
        at = net.run(net.prepare(data.image(7)), layers=["stem"])["stem"]
    assert np.allclose(seen.at["stem"][7], at.view(8, 8, 2, 8, 2).mean((2, 4)).flatten().numpy())
    shots = Shots.of(seen.labels, 5, 3, 0)
    for row in found["layers"].rows:
        shares = []
        for r in range(2):
            given = shots.drawn(row["labels"], r)
            learned = readout(seen.at[row["layer"]][given], seen.labels[given], 5)
            shares.append((learned.answers(seen.at[row["layer"]][shots.test]) == seen.labels[shots.test]).mean())
        assert row["accuracy"] == pytest.approx(np.mean(shares))
    assert found["read-outs"]["pixels"].values[-1] > 0.9  # what is bright is there to be read
    assert "trained" not in found.names
    with pytest.raises(PellucidError, match="4 images of its smallest class"):
        pl.training.transfer(net, data, shots=(5,), steps=0)


def test_kept_layers_are_kept_frozen_ones_stay_and_all_others_begin_anew() -> None:
    net = tiny()
    assert head_of(net) == "head"
    assert along(net, 2) == ("stem", "relu")
    own = net.module.state_dict()
    given = Tensors(torch.rand(12, 3, 32, 32).double(), torch.arange(12) % 5)
    made = recycled(net, 5, "block", "tuned", 0).module
    for name, value in made.state_dict().items():
        kept = name.split(".")[0] in ("stem", "block")
        assert (
            not torch.equal(value, own[name])
            if name == "last.weight"
            else name[:4] == "head" or (not kept or torch.equal(value, own[name]))
        ), name
    assert made(given.inputs).shape == (12, 5)
    trained = fitted(net, 5, given, last="block", how="frozen", steps=3, seed=0)
    for name, value in trained.module.state_dict().items():
        assert torch.equal(value, own[name]) == (name.split(".")[0] in ("stem", "block")), name
    tuned = fitted(net, 5, given, last="", how="tuned", steps=3, seed=0).module
    assert torch.equal(tuned.stem[1].running_mean, own["stem.1.running_mean"])
    assert not torch.equal(tuned.stem[0].weight, own["stem.0.weight"])
    fresh = fitted(net, 5, given, last=None, how="tuned", steps=3, seed=0).module
    assert not torch.equal(fresh.stem[1].running_mean, torch.zeros(8).double())


def test_a_network_without_a_linear_head_is_read_out_alone() -> None:
    net = tiny()
    module = nn.Sequential(net.module.stem, nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
    found = pl.training.transfer(pl.Net(module, "bare", net.preprocess), labeled(), shots=(1,), steps=2)
    assert "trained" not in found.names
    assert any("no head could be replaced" in note for note in found.meta.notes)
    named = pl.training.transfer(net, five(), shots=(3,), repeats=1, steps=2, source=labeled())
    assert named["sources"]["layer"][0] == "pixels"
    assert np.diag(named["cka"].values).min() > 0.5


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_lower_layers_of_a_cifar_resnet_transfer_better_to_a_distant_task(shared: Callable[[str], Path]) -> None:
    """Fashion-MNIST, enlarged, and CIFAR-10 itself: the best layer lies before the end for the one, at it for the
    other."""
    if not FOLDER.exists():
        pytest.skip("no Debian package dataset-fashion-mnist")
    some = fashion("t10k", 1500)
    pixels, labels = some.inputs.numpy(), some.labels.numpy()
    gray = nn.functional.interpolate(torch.from_numpy(pixels), size=32, mode="bilinear").repeat(1, 3, 1, 1)
    net = cifar(shared, "resnet20")
    far = pl.training.transfer(net, (gray, labels), shots=(5, 20), steps=0)
    near = pl.training.transfer(net, c4k(shared).subset(1500), shots=(5, 20), steps=0)
    print(far.findings, near.findings)
    for found in (far, near):
        print({line.name: line.values.round(3).tolist() for line in found.curves["read-outs"].lines})
    far_lines, near_lines = far.curves["read-outs"], near.curves["read-outs"]
    layers = [line.name for line in far_lines.lines][1:]
    assert max(layers, key=lambda name: near_lines[name].values[-1]) == layers[-1]
    assert near_lines[layers[-1]].values[-1] > 0.85
    best = max(layers, key=lambda name: far_lines[name].values[-1])
    assert best != layers[-1]
    assert far_lines[best].values[-1] > far_lines[layers[-1]].values[-1] + 0.02
