"""Checkpoints: what is read, what is refused and why, and that nothing in a file ever runs."""

from __future__ import annotations

import argparse
import os
import pathlib
import pickle
import random
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pellucid.errors import BadNetwork, UnknownName
from pellucid.net import checkpoint, sandbox
from pellucid.net.checkpoint import _in_child, read_checkpoint
from pellucid.net.efficientnet_lite import EfficientNetLite0
from tests.net import gadgets

Shared = Callable[[str], Path]
WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2), "n": torch.tensor(3)}


class Everything:
    """Files that are written first and read by one child, because a child costs seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.answers = folder, dict[str, Path | str]()

    def write(self, contents: dict[str, Any], **how: Any) -> None:
        (self.folder / "in").mkdir(exist_ok=True)
        for name, content in contents.items():
            if isinstance(content, bytes):
                (self.folder / "in" / name).write_bytes(content)
            else:
                torch.save(content, self.folder / "in" / name, **how)

    def read(self) -> None:
        paths, out = sorted((self.folder / "in").iterdir()), Path(tempfile.mkdtemp(dir=self.folder))
        self.answers |= dict(zip((path.name for path in paths), _in_child(paths, out), strict=True))

    def tensors(self, name: str) -> dict[str, Tensor]:
        answer = self.answers[name]
        assert isinstance(answer, Path), answer
        return checkpoint._safetensors(answer, answer)


def zipped(**entries: bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        file.seek(0)
        return file.read()


def torchscript() -> bytes:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), f"{folder}/x")
        return Path(folder, "x").read_bytes()


shared_memory = torch.arange(4.0)
GOOD: dict[str, Any] = {
    "plain": WEIGHTS,
    "ordered": OrderedDict(WEIGHTS),
    "parameters": {key: nn.Parameter(value, requires_grad=value.is_floating_point()) for key, value in WEIGHTS.items()},
    "state_dict": {"state_dict": WEIGHTS, "epoch": 3, "arch": "resnet20"},
    "model": {"model": WEIGHTS, "optimizer": {"state": {0: {"momentum": torch.ones(3)}}}},
    "nested": {"model": {"state_dict": WEIGHTS}},
    "unusual": {"generator_net": WEIGHTS, "step": 1},
    "half_and_ema": {"model_ema": {"x": torch.zeros(1)}, "model_state_dict": WEIGHTS},
    "scalars": {"state_dict": WEIGHTS, "best": np.float64(0.9), "n": np.int64(3), "f": np.float32(1), "b": np.bool_(1)},
    "namespace": {
        "state_dict": WEIGHTS,
        "args": argparse.Namespace(lr=0.1, out=pathlib.Path("/x"), dtype=np.dtype("f4")),
    },
    "lightning": {"state_dict": WEIGHTS, "hyper_parameters": {"lr": 0.1}, "callbacks": {}, "loops": [1, (2,)]},
}
BAD: dict[str, tuple[Any, str]] = {
    "whole_module": (nn.Linear(2, 2), r"torch\.nn\.modules\.linear\.Linear.*torch\.save\(model\.state_dict\(\)"),
    "module_inside": ({"model": nn.Linear(2, 2)}, r"perhaps a whole pickled model.*torch\.save\(model\.state_dict\(\)"),
    "torchscript": (torchscript(), r"TorchScript.*torch\.save\(model\.state_dict\(\)"),
    "list": ([torch.ones(2)], "holds a list, no state dict"),
    "tensor": (torch.ones(2), "holds a Tensor, no state dict"),
    "no_tensors": ({"epoch": 3, "args": {"lr": 1}}, "no tensors, only epoch, args"),
    "nothing": ({}, "an empty dict"),
    "two_networks": ({"generator": WEIGHTS, "critic": WEIGHTS}, r"2 groups of tensors \(generator, critic\)"),
    "sparse": ({"w": torch.eye(3).to_sparse()}, "sparse or quantized"),
    "describes_too_much": ({"w": torch.zeros(1).expand(10**9)}, "far larger than the file"),
    "bomb": (zipped(**{"x/data.pkl": pickle.dumps({}), "x/data/0": bytes(100 * 2**20)}), "would inflate"),
    "other_zip": (zipped(readme=b"hello"), "no checkpoint that torch.save wrote"),
    "npz": (zipped(**{"a.npy": b"\x93NUMPY"}), "no checkpoint that torch.save wrote"),
    "text": (b"hello, world\n" * 9, "no checkpoint that torch.save wrote"),
    "page": (b"<!DOCTYPE html><html>not found</html>", "no checkpoint that torch.save wrote"),
    "noise": (random.Random(0).randbytes(5000), "no checkpoint that torch.save wrote"),
    "plain_pickle": (pickle.dumps({"w": [1.0]}), "no checkpoint that torch.save wrote"),
    "endless": (b"\x80\x02" + b"(" * 10**6, "no checkpoint that torch.save wrote"),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    made = Everything(tmp_path_factory.mktemp("checkpoints"))
    made.write({f"{name}.pth": content for name, content in GOOD.items()})
    made.write({f"{name}.th": content for name, content in GOOD.items()}, _use_new_zipfile_serialization=False)
    cut = {f"cut_{suffix}": (made.folder / f"in/plain.{suffix}").read_bytes()[:-40] for suffix in ("pth", "th")}
    odd = {"shared": {"a": shared_memory, "b": shared_memory, "c": shared_memory[1:], "d": shared_memory.view(2, 2).T}}
    made.write({name: content for name, (content, _) in BAD.items()} | cut | odd)
    made.read()
    return made


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["pth", "th"])
@pytest.mark.parametrize("name", GOOD)
def test_whatever_a_training_script_wraps_around_the_weights(everything: Everything, name: str, suffix: str) -> None:
    tensors = everything.tensors(f"{name}.{suffix}")
    assert set(tensors) == set(WEIGHTS)
    assert all(torch.equal(tensors[key], WEIGHTS[key]) for key in WEIGHTS)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_checkpoint_is_refused_with_the_reason(everything: Everything, name: str) -> None:
    answer = everything.answers[name]
    assert isinstance(answer, str), f"{name} was read"
    assert "\n" not in answer
    with pytest.raises(AssertionError, match=BAD[name][1]):
        raise AssertionError(answer)


@pytest.mark.parametrize("suffix", ["pth", "th"])
def test_half_a_file_is_damaged(everything: Everything, suffix: str) -> None:
    assert "damaged" in str(everything.answers[f"cut_{suffix}"])


def test_tensors_that_shared_memory_all_arrive(everything: Everything) -> None:
    tensors = everything.tensors("shared")
    assert torch.equal(tensors["a"], shared_memory)
    assert torch.equal(tensors["b"], shared_memory)
    assert torch.equal(tensors["c"], shared_memory[1:])
    assert torch.equal(tensors["d"], shared_memory.view(2, 2).T)
    tensors["a"].zero_()
    assert torch.equal(tensors["b"], shared_memory)


def in_every_format(marker: str) -> dict[str, bytes]:
    """Each gadget as a bare pickle, inside both formats of torch.save, and beside the weights of a Lightning file."""
    made: dict[str, bytes] = {}
    bare = {name: pickle.dumps(gadget, 2) for name, gadget in gadgets.objects(marker).items()} | gadgets.raw(marker)
    for name, raw in bare.items():
        made[f"{name}.pkl"] = raw
        # The pickle of {"w": …, "evil": gadget}, spliced by hand so that every opcode can stand in every format.
        inner = raw.removeprefix(raw[:2] if raw[:1] == b"\x80" else b"").removesuffix(b".")
        alone = b"\x80\x04}X\x04\x00\x00\x00evil" + inner + b"s."
        beside = b"\x80\x04}(X\n\x00\x00\x00state_dict}X\x05\x00\x00\x00hyper" + inner + b"u."
        for suffix, content in (("pt", alone), ("ckpt", beside)):
            made[f"{name}.{suffix}"] = zipped(**{"x/data.pkl": content, "x/version": b"3\n", "x/byteorder": b"little"})
        header = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
        made[f"{name}.pth"] = header + alone + pickle.dumps([], 2)
    return made


@pytest.mark.slow
def test_the_gadgets_are_real(tmp_path: Path) -> None:
    """Opened by pickle itself, in a process of its own, every one of them does what it is made for."""
    bare = {name: raw for name, raw in in_every_format(str(tmp_path / "marker")).items() if name.endswith(".pkl")}
    for name, raw in bare.items():
        (tmp_path / name).write_bytes(raw)
    opens = (
        "import pickle, sys\nfor name in sys.argv[1:]:\n try: pickle.load(open(name, 'rb'))\n except Exception: pass"
    )
    names = [str(tmp_path / name) for name in bare]
    subprocess.run([sys.executable, "-W", "ignore", "-c", opens, *names], capture_output=True, timeout=60, check=False)
    missing = [name for name in bare if not list(tmp_path.glob(f"marker.{name.removesuffix('.pkl')}*"))]
    assert len(bare) >= 30
    assert not missing


@pytest.mark.slow
def test_no_gadget_runs(tmp_path: Path) -> None:
    files = in_every_format(str(tmp_path / "marker"))
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "out").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    answers = _in_child([tmp_path / name for name in files], tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == before
    assert len(files) >= 4 * 30
    said = dict(zip(files, answers, strict=True))
    assert not [name for name, answer in said.items() if not isinstance(answer, str)]
    # The reason is the reference to a function; only opcodes that torch does not know are called damage.
    strange = [name for name, answer in said.items() if "refused" not in str(answer)]
    assert {name.rpartition(".")[0] for name in strange} <= set(gadgets.raw(""))


@pytest.mark.slow
def test_the_second_wall_stands_alone(tmp_path: Path) -> None:
    """Were torch's reader fooled, the child's own rules would still stop what touches files, processes or the net.

    All but torch.save, which writes without asking Python: this wall is the second, not the only one.
    """
    for name, raw in in_every_format(str(tmp_path / "marker")).items():
        if name.endswith(".pkl") and name != "torch_save.pkl":
            (tmp_path / name).write_bytes(raw)
    (tmp_path / "out").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    opens = f"""
import importlib.util, pathlib, pickle, sys
import torch, numpy, torch.utils.collect_env
spec = importlib.util.spec_from_file_location("sandbox", {sandbox.__file__!r})
sandbox = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sandbox)
sandbox._confine(pathlib.Path({str(tmp_path / "out")!r}), 2**20, 60)
for path in sorted(pathlib.Path({str(tmp_path)!r}).glob("*.pkl")):
    try: pickle.load(path.open("rb"))
    except BaseException: pass
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", opens], capture_output=True, timeout=60, check=False)
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_who_asks_is_told_what_the_file_wanted(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "x": gadgets.Call(os.system, f"touch {tmp_path}/marker")}, tmp_path / "evil.pth")
    with pytest.raises(BadNetwork, match=r"evil\.pth' wants to run posix\.system .* refused, nothing was run"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "marker").exists()


@pytest.mark.slow
def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    torch.save(WEIGHTS, tmp_path / "good.pth")
    assert set(read_checkpoint(tmp_path / "good.pth")) == set(WEIGHTS)
    (tmp_path / "bad.pth").write_bytes(b"bad")
    with pytest.raises(BadNetwork):
        read_checkpoint(tmp_path / "bad.pth")
    assert not list((tmp_path / "temp").iterdir())


def test_the_child_knows_no_secrets_and_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def run(command: list[str], **how: Any) -> None:
        seen.update(how)
        raise subprocess.TimeoutExpired(command, how["timeout"])

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("API_TOKEN", "secret")
    torch.save(WEIGHTS, tmp_path / "x.pth")
    with pytest.raises(BadNetwork, match="not read in time"):
        read_checkpoint(tmp_path / "x.pth")
    assert "secret" not in str(seen["env"])
    assert 0 < seen["timeout"] < 600


def test_a_child_that_dies_or_cannot_start_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(WEIGHTS, tmp_path / "x.pth")
    for executable, said in (("/bin/false", "exit status 1"), ("/nowhere/python", "No such file")):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(BadNetwork, match=said):
            read_checkpoint(tmp_path / "x.pth")
    assert "signal 11" in checkpoint._lost(-11, "")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").touch()
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "locked.pth").symlink_to("locked.pth")
    started = time.monotonic()
    for name, kind, said in (
        ("weight.pth", UnknownName, r"no file '.*weight\.pth'; nearest of \d: .*weights\.pth"),
        ("nowhere/x.pth", BadNetwork, "there is no folder '.*nowhere'"),
        ("weights.pth/x.pth", BadNetwork, "there is no folder"),
        (".", BadNetwork, "is a folder"),
        ("weights.pth", BadNetwork, "is empty"),
        ("pipe.pth", BadNetwork, "is no plain file"),
        ("pointer.pth", BadNetwork, "Git LFS pointer"),
        ("locked.pth", BadNetwork, "cannot be opened"),
        ("x\0.pth", BadNetwork, "cannot be opened"),
    ):
        with pytest.raises(kind, match=said):
            read_checkpoint(tmp_path / name)
    assert time.monotonic() - started < 60  # the pipe in particular is not waited for


def test_safetensors_needs_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_in_child", lambda *_: pytest.fail("a child was started"))
    file = tmp_path / "x.safetensors"
    save_file(WEIGHTS, file)
    tensors = read_checkpoint(file)
    file.write_bytes(b"0" * file.stat().st_size)  # the tensors must not be a view of the file
    assert all(torch.equal(tensors[key], WEIGHTS[key]) for key in WEIGHTS)
    with pytest.raises(BadNetwork, match="no whole safetensors file"):
        read_checkpoint(file)
    save_file({}, file)
    with pytest.raises(BadNetwork, match="no tensors"):
        read_checkpoint(file)


@pytest.mark.slow
def test_real_files(shared: Shared, tmp_path: Path) -> None:
    counts = {"resnet20-12fca82f": 97, "resnet56-4bfd9763": 277}
    for answer, count in zip(
        _in_child([shared(f"data/weights/{name}.th") for name in counts], tmp_path), counts.values(), strict=True
    ):
        assert isinstance(answer, Path), answer
        tensors = checkpoint._safetensors(answer, answer)
        assert len(tensors) == count
        assert tensors["module.conv1.weight"].shape == (16, 3, 3, 3)
        assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def mutated(whole: bytes, count: int, seed: int) -> list[bytes]:
    chance, made = random.Random(seed), []
    for _ in range(count):
        damaged, at = bytearray(whole), chance.randrange(len(whole))
        match chance.randrange(6):
            case 0:
                del damaged[at:]
            case 1:
                damaged[at : at + 8] = chance.randbytes(8)
            case 2:
                damaged[at] ^= 1 << chance.randrange(8)
            case 3:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 64))
            case 4:
                del damaged[at : at + chance.randrange(1, 64)]
            case 5:
                place = chance.randrange(len(whole))
                damaged[at : at + 32] = whole[place : place + 32]
        made.append(bytes(damaged))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_damage_never_kills_or_hangs(tmp_path: Path, count: int) -> None:
    """Each damaged file is read or refused, by a child that lives on to read the next one."""
    torch.save(WEIGHTS, tmp_path / "zip")
    torch.save({"state_dict": WEIGHTS, "x": np.float64(1)}, tmp_path / "legacy", _use_new_zipfile_serialization=False)
    save_file(WEIGHTS, tmp_path / "x.safetensors")
    paths = []
    for kind in ("zip", "legacy"):
        for i, content in enumerate(mutated((tmp_path / kind).read_bytes(), count, seed=count)):
            paths.append(tmp_path / f"{kind}{i}.pth")
            paths[-1].write_bytes(content)
    (tmp_path / "out").mkdir()
    answers = _in_child([path for path in paths if path.stat().st_size], tmp_path / "out")
    wrong = [
        answer
        for answer in answers
        if isinstance(answer, str) and "torch.save" not in answer and "refused" not in answer
    ]
    assert not wrong
    assert any(isinstance(answer, str) for answer in answers)
    refused = 0
    for content in mutated((tmp_path / "x.safetensors").read_bytes(), count, seed=count):
        (tmp_path / "x.safetensors").write_bytes(content)
        try:
            assert read_checkpoint(tmp_path / "x.safetensors")
        except BadNetwork:
            refused += 1
    assert refused


def test_the_half_precision_file_fits_the_bundled_architecture(shared: Shared) -> None:
    from pellucid.net.load import load

    net = load("bundled", weights=shared("data/weights/efficientnet_lite0_fp16.safetensors"))
    trained = load("bundled")
    assert isinstance(net.module, EfficientNetLite0)
    assert next(net.module.parameters()).dtype == torch.float32
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    assert (net.run(pixels).output - trained.run(pixels).output).abs().max() < 0.05
