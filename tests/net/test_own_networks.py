"""Networks as people bring them: of a size that nobody said, in raw units, of two inputs, with wrapped checkpoints."""

from __future__ import annotations

import copy
import importlib.metadata
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import BadImage, BadNetwork, PellucidError
from pellucid.notes import Note
from pellucid.result import versions
from pellucid.result.base import version_of

read_anything: Any = inspect.unwrap(pl.read)

SLICE = (np.random.default_rng(0).random((24, 24)) * 3000).astype(np.uint16)


class Fixed(nn.Module):
    """Reads all pixels behind a convolution and a pooling, so that only some sizes fit."""

    def __init__(self, features: int, *, channels: int = 1, view: bool = False, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.fc, self.view = nn.Conv2d(channels, 4, 3, padding=1), nn.Linear(features, classes), view

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(x.view(-1, self.fc.in_features) if self.view else x.flatten(1))


class Pooled(nn.Module):
    def __init__(self, channels: int = 1, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


# Sizes that nobody said


@pytest.mark.parametrize(
    ("features", "view", "size", "fits"),
    [
        (4 * 14 * 14, False, 28, "28 × 28 to 29 × 29"),
        (
            4 * 8 * 8,
            True,
            16,
            "16 × 16 to 17 × 17",
        ),  # at 224 this view makes 196 rows of one picture, and does not fail
        (4 * 150 * 150, False, 300, "300 × 300 to 301 × 301"),
    ],
)
def test_the_size_is_found_and_said(features: int, view: bool, size: int, fits: str) -> None:
    net = pl.load(Fixed(features, view=view), mean=0, std=1)
    assert net.size == (size, size)
    assert net.layers().size == (size, size)
    (note,) = pl.filters.first_layer(net).meta.said[-1:]
    assert (
        note == f"no size of input given: {fits} pixels, found by trying; load(..., size={size}) says that it is {size}"
    )
    assert pl.load(net, size=size).notes == ()


def test_a_picture_of_another_size_is_told_which_one_works() -> None:
    net = pl.load(Fixed(4 * 14 * 14))
    assert net.predict(np.zeros((28, 28), np.uint8)).ranked  # its own size: as it is
    with pytest.raises(BadNetwork, match=r"it takes 28 × 28 to 29 × 29 pixels: load\(\.\.\., size=28\)"):
        net.predict(np.zeros((64, 64), np.uint8))
    assert pl.load(net, size=28).predict(np.zeros((64, 64), np.uint8)).ranked


def test_where_no_square_fits_the_message_asks_for_both_sides() -> None:
    net = pl.load(Fixed(4 * 5 * 15))
    with pytest.raises(BadNetwork, match=r"no square fits it: load\(\.\.\., size=\(HEIGHT, WIDTH\)\)"):
        net.layers()
    assert pl.load(net, size=(10, 30)).layers().size == (10, 30)


def test_failures_of_another_kind_are_not_followed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Pooled):
        runs = 0

        def forward(self, x: Tensor) -> Tensor:
            Broken.runs += 1
            raise RuntimeError("expected scalar type Double but found Float")

    with pytest.raises(BadNetwork, match=r"found Float$"):
        pl.load(Broken()).predict(SLICE)
    assert Broken.runs == 1


def test_two_sizes_in_one_batch_and_the_advice() -> None:
    two = pl.read([SLICE, SLICE[:, :12]])
    net = pl.load(Pooled())
    with pytest.raises(BadImage, match=r"give the network one size of input, load\(\.\.\., size=24\)"):
        pl.attribution.grad_cam(net, two, 1)
    assert len(pl.attribution.grad_cam(pl.load(net, size=24), two, 1).values) == 2
    mixed = pl.read([SLICE, np.zeros((3, 24, 24), np.uint8)])
    with pytest.raises(BadImage, match=r"load\(\.\.\., channels=3\)"):
        mixed.pixels  # noqa: B018
    assert pl.load(Pooled(3), channels=3).prepare(mixed).pixels.shape == (2, 3, 24, 24)


# Several inputs


def test_several_inputs_name_a_wrapper_that_works() -> None:
    class Two(Pooled):
        def forward(self, image: Tensor, age: Tensor, *, sex: Tensor) -> Tensor:
            return super().forward(image) + age + sex

    class OnlyImage(nn.Module):
        def __init__(self, net: nn.Module) -> None:
            super().__init__()
            self.net = net
            self.register_buffer("age", torch.ones(2))
            self.register_buffer("sex", torch.zeros(2))

        def forward(self, image: Tensor) -> Tensor:
            return self.net(image, age=self.age, sex=self.sex)

    with pytest.raises(BadNetwork, match=r"takes 3 inputs \(image, age, sex\), and is shown one image") as caught:
        pl.load(Two()).predict(SLICE)
    assert "self.net(image, age=self.age, sex=self.sex)" in str(caught.value)  # as OnlyImage does
    assert pl.load(OnlyImage(Two())).predict(SLICE).ranked


# Arrays, by what the network takes


@pytest.mark.parametrize(
    ("shape", "channels", "expected"),
    [
        ((11, 20, 20), 11, (11, 20, 20)),
        ((20, 20, 11), 11, (11, 20, 20)),
        ((3, 20, 11), 11, (11, 3, 20)),  # three rows of pixels
        ((1, 20, 3), 3, (3, 1, 20)),
        ((3, 1, 20), 3, (3, 1, 20)),
        ((20, 1, 3), 3, (3, 20, 1)),
        ((1, 1, 3), 3, (3, 1, 1)),
        ((64, 64, 64), None, None),
        ((3, 20, 3), 3, None),
        ((1, 28, 28), 28, None),
    ],
)
def test_the_network_decides_where_the_channels_are(shape: Any, channels: int | None, expected: Any) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    net = pl.load(nn.Flatten(), channels=channels)
    if expected is None:
        with pytest.raises(BadImage, match="cannot be told: say read\\(array, layout='hwc'\\) or 'chw'"):
            net.images(array)
        for layout, first in (("chw", shape), ("hwc", (shape[2], *shape[:2]))):
            assert pl.read(array, layout=layout).pictures[0].shape == first
        return
    assert net.images(array).pictures[0].shape == expected
    assert net.images(torch.from_numpy(array)).pictures[0].shape == expected


def test_a_layout_that_is_none_and_batches() -> None:
    with pytest.raises(BadImage, match="layout='cwh': 'chw'"):
        read_anything(SLICE[None], layout="cwh")
    assert pl.read(torch.zeros(2, 20, 20, 3), layout="hwc").pictures[0].shape == (3, 20, 20)


# Units


def test_raw_mean_and_std_with_their_full_scale() -> None:
    told = pl.load(Pooled(), mean=329.7, std=375, value_range=(0, 65535))
    same = pl.load(Pooled(), mean=329.7 / 65535, std=375 / 65535)
    assert told.preprocess.mean == pytest.approx(same.preprocess.mean)
    wanted = Pooled().eval()((torch.from_numpy(SLICE.astype(np.float32))[None, None] - 329.7) / 375)[0]
    for net in (told, same):
        assert [prediction.logit for prediction in net.predict(SLICE).ranked[0]] == pytest.approx(
            sorted(wanted.tolist(), reverse=True), rel=1e-4
        )


def test_pictures_read_on_another_scale_are_put_on_the_networks() -> None:
    net = pl.load(Pooled(), mean=329.7, std=375, value_range=(0, 65535))
    right = net.predict(SLICE).ranked[0][0].logit
    assert net.predict(pl.read(SLICE, value_range=(0, 4095))).ranked[0][0].logit == pytest.approx(right, rel=1e-4)
    narrow = pl.load(net, value_range=(0, 4095))
    assert narrow.predict(SLICE).ranked[0][0].logit == pytest.approx(right, rel=1e-4)
    with pytest.raises(BadImage, match=r"values from .*, the network was loaded with value_range=\(0, 1000\)"):
        pl.load(Pooled(), value_range=(0, 1000)).prepare(pl.read(SLICE))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mean": 329.7}, r"mean=329\.7, value_range=\(0, 65535\) for 16-bit data, value_range=\(LOW, HIGH\)"),
        ({"mean": 100.0}, r"value_range=\(0, 255\) for 8-bit data, value_range=\(0, 65535\) for 16-bit"),
        ({"std": 70000.0}, r"load\(\.\.\., std=70000\.0, value_range=\(LOW, HIGH\)"),
        ({"mean": 329.7, "value_range": (0, 255)}, "mean=329.7 lies outside value_range, 0 to 255"),
        ({"mean": 0.485, "value_range": (0, 255)}, r"next to nothing .* say mean=123\.675"),
        ({"std": 0.25, "value_range": (-1000, 3000)}, r"next to nothing .* say std=1000\.0"),
        ({"std": 900, "value_range": (0, 255)}, "is wider than value_range"),
        ({"value_range": (1, 0)}, r"is not \(low, high\)"),
    ],
)
def test_units_that_cannot_be_are_refused_with_what_works(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PellucidError, match=said):
        pl.load(Pooled(), **options)


@pytest.mark.parametrize(
    ("options", "scales"),
    [
        ({"mean": 123.675, "std": 63.75}, [255, 65535]),
        ({"mean": 329.7, "std": 375}, [65535]),
        ({"mean": 120.0, "std": 300.0}, [65535]),  # a deviation that no 8-bit data have
        ({"std": 375}, [65535]),
        ({"mean": -600.0, "std": 300}, []),  # Hounsfield units: no scale from 0 on has them
        ({"mean": 70000.0}, []),
    ],
)
def test_every_scale_that_is_advised_works_and_gives_the_units_back(
    options: dict[str, float], scales: list[int]
) -> None:
    with pytest.raises(PellucidError, match="is in raw units") as error:
        pl.load(Pooled(), **options)
    assert [int(one) for one in re.findall(r"value_range=\(0, (\d+)\)", str(error.value))] == scales
    assert "value_range=(LOW, HIGH)" in str(error.value)
    for white in scales:
        found = pl.load(Pooled(), **options, value_range=(0, white)).preprocess
        raw = {"mean": found.mean[0] * white, "std": found.std[0] * white}
        assert {name: raw[name] for name in options} == pytest.approx(options)


def test_mean_and_std_in_different_units_are_said_to_be() -> None:
    with pytest.raises(PellucidError, match=r"mean=329\.7 is in raw units .* std=0\.2 is not: give both in the same"):
        pl.load(Pooled(), mean=329.7, std=0.2)


# What is said with every result


def test_that_nobody_gave_mean_and_std_is_said_until_somebody_does() -> None:
    note = "no mean and std given: pixels in 0..1 go in as they are"
    net = pl.load(Pooled())
    results = [net.predict(SLICE), pl.attribution.gradient(net, SLICE, 1), pl.explain(net, SLICE, methods=["gradient"])]
    assert all(sum(one.startswith(note) for one in result.meta.said) == 1 for result in results)
    assert "load(..., mean=0, std=1)" in net.notes[0].text
    assert pl.load(net, mean=0, std=1).notes == ()
    (half,) = pl.load(Pooled(), mean=0.5).notes
    assert half.text.startswith("no std given: pixels in 0..1 go in without it")


@pytest.mark.parametrize(("fill", "distance"), [("gray", 87), ("white", 174), ("noise", 87), ("black", 0), ("mean", 0)])
def test_a_fill_far_from_the_inputs_is_said(fill: str, distance: int) -> None:
    net = pl.load(Pooled(), mean=329.7, std=375, value_range=(0, 65535))
    notes = pl.attribution.occlusion(net, SLICE, 1, size=12, stride=12, fill=fill).meta.said
    far = [note for note in notes if "standard deviations" in note]
    assert len(far) == (distance > 5)
    assert all(f"lies {distance} standard" in note and "fill='mean'" in note for note in far)


def test_a_far_baseline_of_ones_own_is_said_and_usual_ones_are_not() -> None:
    net = pl.load(Pooled(), mean=329.7, std=375, value_range=(0, 65535))
    bright = pl.read(np.full((24, 24), 60000, np.uint16))
    notes = pl.attribution.integrated_gradients(net, SLICE, 1, steps=2, baseline=bright).meta.said
    assert any(note.startswith("baseline, ") and "lies 159 standard deviations" in note for note in notes)
    usual = pl.load(Pooled(3), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    for fill in ("gray", "black", "white", "noise", "blur"):
        picture = np.zeros((24, 24, 3), np.uint8)
        notes = pl.attribution.occlusion(usual, picture, 1, size=12, stride=12, fill=fill).meta.said
        assert not any("standard deviations" in note for note in notes)


# Checkpoints of wrapped networks and parts


def wrapped(name: str) -> dict[str, Tensor]:
    """The state of a trained network, as that wrapper leaves it."""
    net = Pooled(seed=1)
    state = net.state_dict()
    match name:
        case "EMA":
            return {"n_averaged": torch.tensor(3)} | {f"module.{key}": value for key, value in state.items()}
        case "both":
            net.features = nn.DataParallel(net.features)  # type: ignore[assignment]
            return {f"model.{key}": value for key, value in net.state_dict().items()} | {"loss.weight": torch.ones(2)}
        case "twice":
            return {key.replace("features.", "features.x._orig_mod."): value for key, value in state.items()}
        case "leaf":
            return {key.replace("head.", "head.base_layer."): value for key, value in state.items()}
        case "checkpoint":
            return {key.replace("features.0.", "features.0._checkpoint_wrapped_module."): value
                    for key, value in state.items()}  # fmt: skip
    return {f"{name}.{key}": value for key, value in state.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [("EMA", "module"), ("both", "model, model.features.module"), ("twice", "features.x, features.x._orig_mod"),
     ("leaf", "head.base_layer"), ("checkpoint", "features.0._checkpoint_wrapped_module"), ("net", "net"),
     ("backbone", "backbone")],
)  # fmt: skip
@pytest.mark.usefixtures("read_here")
def test_wrappers_in_the_names_of_a_checkpoint(name: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    torch.save(wrapped(name), file)
    net = pl.load(Pooled(), weights=file, mean=0, std=1)
    for key, value in Pooled(seed=1).state_dict().items():
        assert torch.equal(net.module.state_dict()[key], value)
    assert net.notes == (Note("network", f"weights fit without {words} in the names of 'weights.pth'"),)


@pytest.mark.usefixtures("read_here")
def test_a_wrapper_around_a_part_of_the_network_itself(tmp_path: Path) -> None:
    torch.save(Pooled(seed=1).state_dict(), tmp_path / "weights.pth")
    net = Pooled()
    net.features = nn.DataParallel(net.features)  # type: ignore[assignment]
    loaded = pl.load(net, weights=tmp_path / "weights.pth").module
    assert torch.equal(
        loaded.state_dict()["features.module.0.weight"], Pooled(seed=1).state_dict()["features.0.weight"]
    )


@pytest.mark.usefixtures("read_here")
def test_what_is_ambiguous_or_of_another_network_is_refused(tmp_path: Path) -> None:
    state = Pooled(seed=1).state_dict()
    twice = {key.replace("features.", f"features.{who}."): value for key, value in state.items() for who in ("a", "b")}
    other = {key.replace("features.0", "features.7"): value for key, value in state.items()}
    for content in (twice, other):
        torch.save(content, tmp_path / "weights.pth")
        with pytest.raises(BadNetwork, match="does not fit Pooled"):
            pl.load(Pooled(), weights=tmp_path / "weights.pth")


def test_versions_without_the_package_being_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("pellucid.result.base.version", missing)
    monkeypatch.setattr("pellucid.result.base.version_of", version_of.__wrapped__)  # which remembers nothing
    assert versions() == {"pellucid": pl.__version__, "torch": torch.__version__}
    assert pl.load(copy.deepcopy(Pooled())).predict(SLICE).meta.versions["pellucid"] == pl.__version__
