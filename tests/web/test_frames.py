"""Frames of a camera: what comes back, how exact it is, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load

from pellucid.errors import BadImage, PellucidError, UnknownName
from pellucid.images import read
from pellucid.net import Net
from pellucid.web.answers.frames import frame, stage
from pellucid.web.answers.preferred import ROW, preferred
from pellucid.web.routes.frames import Turns
from pellucid.web.session import Session
from pellucid.web.worker import Failed
from tests.methods.units.planted import RED, indexed, planted
from tests.web.loop import run


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session({"folder": str(tmp_path_factory.mktemp("explorer"))}, Net.of("bundled"))


@pytest.fixture(scope="module")
def panda(here: Session) -> bytes:
    return shot(here.net("n0").prepare(read("sample:panda")).pictures[0])


def shot(picture: torch.Tensor, quality: int = 95) -> bytes:
    out = io.BytesIO()
    Image.fromarray((picture.permute(1, 2, 0) * 255).round().byte().numpy()).save(out, "JPEG", quality=quality)
    return out.getvalue()


def asked(here: Session, body: bytes, **about: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What is said, and the tensors."""
    ((_, content),) = frame(here, {"net": "n0", "layer": "blocks.2", "unit": 3, **about}, body)
    head = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    return json.loads(head["__metadata__"]["about"]), load(content)


def units(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray:
    zero = said["units"]["zero"]
    shares = (arrays["units"].astype(np.float32) - zero) / (127 if zero else 255)
    found: np.ndarray = shares * arrays["scales"][:, None, None]
    return found


def state(net: Net) -> str:
    found = hashlib.sha256(repr((net.module.training, torch.get_rng_state().sum())).encode())
    for name, value in net.module.state_dict().items():
        found.update(name.encode() + value.numpy().tobytes())
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in net.module.modules()]
    return found.hexdigest() + str(sum(hooks)) + str([one.grad is None for one in net.module.parameters()])


def test_the_stages_are_listed_in_order(here: Session) -> None:
    ((said, _),) = stage(here, {"net": "n0"}, b"")
    names = [one["name"] for one in said["layers"]]
    assert names == ["act1", *(f"blocks.{i}" for i in range(7)), "act2", "classifier"]
    assert said["size"] == [224, 224]
    assert said["layers"][3]["units"] == 40
    assert said["layers"][3]["places"] == [28, 28]
    assert [one["early"] for one in said["layers"]] == sorted((one["early"] for one in said["layers"]), reverse=True)
    assert len(said["layers"][-1]["names"]) == 1000


@pytest.mark.parametrize("layer", ["blocks.2", "act2", "classifier"])
def test_units_are_exact_to_their_bytes(here: Session, panda: bytes, layer: str) -> None:
    said, arrays = asked(here, panda, layer=layer, guesses=True)
    net = here.net("n0")
    exact = net.run(
        torch.from_numpy(np.array(Image.open(io.BytesIO(panda)))).permute(2, 0, 1)[None] / 255, layers=(layer,)
    )
    wanted = exact[layer][0].reshape(arrays["units"].shape).numpy()
    steps = arrays["scales"][:, None, None] / (127 if said["units"]["zero"] else 255)
    assert (np.abs(units(said, arrays) - wanted) <= 0.51 * steps + 1e-6).all()
    assert said["guesses"][0]["name"].startswith("giant panda")
    assert said["guesses"][0]["probability"] == pytest.approx(float(exact.probabilities.max()), abs=1e-5)
    assert said["ms"] > 0


def test_large_layers_keep_the_strongest_of_each_block(here: Session, panda: bytes) -> None:
    said, arrays = asked(here, panda, layer="act1", guesses=False)
    assert said["guesses"] is None
    assert said["pooled"] == 2
    assert arrays["units"].nbytes <= 256 * 2**10
    net = here.net("n0")
    pixels = torch.from_numpy(np.array(Image.open(io.BytesIO(panda)))).permute(2, 0, 1)[None] / 255
    whole = net.run(pixels, layers=("act1",))["act1"]
    assert np.allclose(arrays["scales"], whole[0].amax((1, 2)).numpy(), atol=1e-6)
    placement = net.layer("act1").placement
    assert placement is not None
    assert said["placement"]["jump"] == [2 * placement.jump[0], 2 * placement.jump[1]]
    assert said["placement"]["start"][0] == placement.start[0] + placement.jump[0] / 2


@pytest.mark.parametrize("back", ["gradient", "guided", "deconvnet"])
def test_the_back_projection_comes_from_the_chosen_unit(here: Session, panda: bytes, back: str) -> None:
    said, arrays = asked(here, panda, back=back, guesses=False)
    other, _ = asked(here, panda, back=back, guesses=True, layer="blocks.1", unit=0, source="blocks.2", number=3,
                     mosaic="backward")  # fmt: skip
    assert said["back"]["scale"] == pytest.approx(other["back"]["scale"], rel=1e-4)
    assert arrays["back"].shape == (3, 224, 224)
    assert other["units"]["zero"] == 128, "what comes back has signs"
    if back == "gradient":
        net = here.net("n0")
        pixels = torch.from_numpy(np.array(Image.open(io.BytesIO(panda)))).permute(2, 0, 1)[None] / 255
        run = net.run(pixels, layers=("blocks.2",), grad="pixels")
        unit = run["blocks.2"][:, 3]
        (wanted,) = run.gradients((unit.clamp(min=0).square() / 2).sum(), [run.pixels])
        roots = (arrays["back"].astype(np.float32) - 128) / 127
        found = np.sign(roots) * roots**2 * said["back"]["scale"]
        assert np.corrcoef(found.ravel(), wanted[0].numpy().ravel())[0, 1] > 0.999
        assert said["back"]["scale"] == pytest.approx(float(wanted.abs().max()), rel=1e-4)


def test_a_layer_behind_the_unit_gets_nothing_from_it(here: Session, panda: bytes) -> None:
    said, arrays = asked(here, panda, back="gradient", layer="blocks.4", unit=0, source="blocks.2", number=3,
                         mosaic="backward", guesses=False)  # fmt: skip
    assert not arrays["scales"].any()
    assert said["back"] is not None


def test_the_network_is_as_before(here: Session, panda: bytes) -> None:
    net = here.net("n0")
    before = state(net)
    for back in ("off", "gradient", "guided", "deconvnet"):
        asked(here, panda, back=back, guesses=back == "off")
    with pytest.raises(PellucidError):
        asked(here, panda, unit=40)
    assert state(net) == before


def test_what_is_no_frame_is_refused_in_a_line(here: Session, panda: bytes) -> None:
    large = io.BytesIO()
    Image.new("RGB", (1100, 1000)).save(large, "JPEG")
    png = io.BytesIO()
    Image.new("RGB", (224, 224)).save(png, "PNG")
    for body in (b"", b"no picture", panda[:2000], large.getvalue(), png.getvalue()):
        with pytest.raises(BadImage, match="frame"):
            asked(here, body)
    with pytest.raises(UnknownName, match=r"blocks\.3"):
        asked(here, panda, layer="block.3")
    with pytest.raises(PellucidError, match="from 0 to 39"):
        asked(here, panda, unit=40)


def test_a_waiting_frame_gives_way_to_a_newer_one() -> None:
    turns, done, refused = Turns(), list[int](), list[str]()

    async def one(number: int, client: str = "a") -> None:
        try:
            async with turns.turn(client):
                await asyncio.sleep(0.02)
                done.append(number)
        except Failed as error:
            refused.append(error.kind)

    async def all_of_them() -> None:
        await asyncio.gather(one(1), one(2), one(3), one(4, "b"))

    run(all_of_them())
    assert sorted(done) == [1, 3, 4]
    assert refused == ["Superseded"]
    assert not turns.locks
    assert not turns.newest


def test_only_the_folder_of_the_session_is_written(here: Session, panda: bytes) -> None:
    before = sorted(Path(here.folder).rglob("*"))
    asked(here, panda)
    assert sorted(Path(here.folder).rglob("*")) == before


def test_preferred_patches_lie_side_by_side(tmp_path: Path) -> None:
    indexed(tmp_path)
    here = Session({"folder": str(tmp_path / "session"), "indexes": [str(tmp_path / "x.index")]}, planted())
    ((_, content),) = preferred(here, {"index": "i0", "layer": "act"}, b"")
    assert ((_, content),) == tuple(preferred(here, {"index": "i0", "layer": "act"}, b"")), "kept"
    sprite = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float32)
    side = sprite.shape[1] // ROW
    assert sprite.shape == (side, side * ROW, 3)
    red, none = (sprite[:, side * k : side * (k + 1)].mean((0, 1)) for k in (RED, 7))
    assert red[0] > 1.5 * red[1], "more red than green"
    assert np.ptp(none) < 2, "there is no eighth unit"
