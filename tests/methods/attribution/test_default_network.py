"""The methods on the embedded network and real photos."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.efficientnet_lite import EfficientNetLite0
from pellucid.net.layers import table
from pellucid.result.coverage import uncovered
from tests.net.test_layers import positive, predicted, reached, within


@pytest.fixture(scope="module")
def net() -> Net:
    return pl.load("bundled")


@pytest.fixture(scope="module")
def photos() -> Images:
    return pl.read(["sample:panda", "sample:espresso"])


@pytest.mark.slow
def test_cam_is_grad_cam_times_cells(net: Net, photos: Images) -> None:
    for target in (None, "giant panda", "espresso - cup"):
        cam, grad = pl.attribution.cam(net, photos, target), pl.attribution.grad_cam(net, photos, target)
        assert np.abs(cam.array - 49 * grad.array).max() <= 1e-5 * np.abs(cam.array).max()
    bias = net.module.classifier.bias[net.class_index("giant panda")].item()  # type: ignore[union-attr, index]
    cam = pl.attribution.cam(net, photos, "giant panda")
    assert np.allclose(cam.array.mean((1, 2)), np.array(cam.meta.score) - bias, atol=1e-4)


@pytest.mark.slow
def test_integrated_gradients_tell_their_error(net: Net, photos: Images) -> None:
    heat = pl.attribution.integrated_gradients(net, photos, steps=16)
    scores = [net.run(photos[i]).scores[0] for i in range(2)]
    black = net.run(torch.zeros(1, 3, 224, 224)).scores[0]
    for i, score in enumerate(scores):
        best = int(score.argmax())
        change = float(score[best] - black[best])
        assert heat.meta.score[i] == pytest.approx(float(score[best]), rel=1e-5)
        assert abs(heat.array[i].sum() - change) / abs(change) == pytest.approx(heat.meta.completeness[i], abs=1e-3)
        assert heat.meta.completeness[i] <= 0.01 or any(photos.ids[i] in note for note in heat.meta.said)


def test_rules_cover_every_rectifier(net: Net, photos: Images) -> None:
    guided = pl.attribution.guided_backprop(net, photos[0])
    assert sum(guided.meta.coverage.values()) == 33
    assert not uncovered(guided.meta.coverage)
    plain = pl.attribution.gradient(net, photos[0], reduce="signed")
    assert not np.allclose(guided.array, plain.array, atol=np.abs(plain.array).max() / 100)


def test_evidence_lies_on_the_animal(net: Net, photos: Images) -> None:
    """The panda fills the middle of its photo; its face is in the upper half."""
    heat = pl.attribution.grad_cam(net, photos[0])
    assert heat.meta.target == "giant panda"
    y, x = np.unravel_index(heat.array[0].argmax(), (7, 7))
    rows, columns = heat.placement.centers(7, 7)
    assert 30 <= rows[y] <= 200
    assert 30 <= columns[x] <= 200
    outer = np.concatenate([heat.array[0, 0], heat.array[0, -1]]).mean()
    assert heat.array[0].max() > 3 * max(outer, 0)


@pytest.mark.slow
def test_cells_lie_where_their_pixels_are() -> None:
    """TensorFlow's padding puts the last cells at 32·i + 31, not at 32·i or 32·i + 15.5: the gradient says the same."""
    module, size = positive(EfficientNetLite0()), (224, 224)
    for part in module.modules():
        if isinstance(part, torch.nn.ReLU6):
            part.max_val = 1e9  # no path may die of saturation
    layers = table(module, torch.zeros(1, 3, *size, dtype=torch.float64))
    placement = layers["act2"].placement
    assert placement is not None
    assert (placement.start, placement.jump) == ((31, 31), (32, 32))
    for name in ("conv_stem", "act1", "blocks.1.0", "blocks.2.0", "blocks.3.0", "blocks.5", "act2"):
        row = layers[name]
        for cell in ((row.shape[1] // 2, row.shape[2] // 2), (1, 2)):
            found, told = reached(module, name, size, cell, layers), predicted(row, size, cell)
            assert all(within(f, t) for f, t in zip(found, told, strict=True)), (name, found, told)
            if name != "act2" and name != "blocks.5":  # deeper fields are as wide as the picture
                assert found == told, (name, found, told)
