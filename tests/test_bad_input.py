"""What goes wrong at the command line: one clear line that repeats the question, the right exit code, no traceback."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from pellucid.cli import main
from pellucid.net import Net
from pellucid.net import load as load_module

NETS = """
import sys
import torch
from torch import nn
from pellucid.net import Net, Labels, Preprocess

SEEN = Preprocess((32, 32), channels=3)
LABELS = Labels.plain(["cat", "dog", "tiger cat", "boxer"])


class Plain(nn.Module):
    def __init__(self, act=nn.ReLU):
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3, padding=1, stride=2)
        self.act = act()
        self.b = nn.Conv2d(6, 8, 3, padding=1)
        self.act2 = act()
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.act2(self.b(self.act(self.a(x)))).mean((2, 3)))


class Flat(Plain):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8 * 16 * 16, 4)

    def forward(self, x):
        return self.head(self.act2(self.b(self.act(self.a(x)))).flatten(1))


class Two(Plain):
    def forward(self, x):
        return {"logits": super().forward(x), "aux": x}


def plain(): return Plain(), SEEN, LABELS
def flat(): return Flat(), SEEN, LABELS
def two(): return Two(), SEEN, LABELS
def bare(): return Plain(), SEEN
def linear(): return Plain(nn.Identity), SEEN, LABELS
def vector(): return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4)), SEEN, LABELS
def raises(): raise RuntimeError("the file of weights is on holiday")
def none(): return None
def text(): return "resnet"
def needs(x): return Plain()
def exits(): sys.exit(3)

def nan():
    net = Plain()
    net.head.weight.data[:] = float("nan")
    return net, SEEN, LABELS

class Breaks(Plain):
    def forward(self, x):
        raise ValueError("shapes do not agree")

def breaks(): return Breaks(), SEEN, LABELS
"""


@dataclass(frozen=True)
class Bad:
    """A kind of bad input: what is typed, how it ends, and what the line must contain."""

    kind: str
    typed: str
    code: int
    says: str

    @property
    def argv(self) -> list[str]:
        """Words at blanks; `_` inside angle brackets stands for a blank: <tiger_cat>, <> for nothing."""
        return [re.sub(r"<(.*?)>", lambda m: m[1].replace("_", " "), word) for word in self.typed.split()]


NET = "--net nets.py:plain"
BAD = (
    # pictures
    Bad("picture: no such file", "predict dgo.png", 2, "'dgo.png'; nearest of"),
    Bad("picture: no such folder", "predict nowhere/dog.png", 3, "no folder 'nowhere'"),
    Bad("picture: a folder", "predict folder", 3, "no images in the folder 'folder'"),
    Bad("picture: empty file", "predict empty.jpg", 3, "'empty.jpg' is empty"),
    Bad("picture: a pipe", "predict pipe.jpg", 3, "'pipe.jpg' is a pipe"),
    Bad("picture: a device", "predict zero.jpg", 3, "'zero.jpg' is a device"),
    Bad("picture: a link to nothing", "predict dangling.jpg", 3, "'dangling.jpg' is a link"),
    Bad("picture: a web page", "predict page.jpg", 3, "page.jpg"),
    Bad("picture: an SVG", "predict drawing.jpg", 3, "drawing.jpg"),
    Bad("picture: an EPS", "predict print.jpg", 3, "print.jpg"),
    Bad("picture: a HEIC", "predict phone.heic", 3, "phone.heic"),
    Bad("picture: a PDF", "predict paper.png", 3, "paper.png"),
    Bad("picture: an archive", "predict archive.jpg", 3, "archive.jpg"),
    Bad("picture: text", "predict words.png", 3, "words.png"),
    Bad("picture: an array file", "predict array.npy", 3, "array.npy"),
    Bad("picture: truncated JPEG", "predict half.jpg", 3, "half.jpg"),
    Bad("picture: truncated PNG", "predict half.png", 3, "half.png"),
    Bad("picture: only a header", "predict head.gif", 3, "head.gif"),
    Bad("picture: 2^31 pixels wide", "predict wide.png", 3, "wide.png"),
    Bad("picture: 400 megapixels", "predict large.png", 3, "large.png"),
    Bad("picture: noise", "predict noise.jpg", 3, "noise.jpg"),
    Bad("picture: no such sample", "predict sample:pnada", 2, "no sample 'pnada'; nearest of"),
    Bad("picture: nobody at that address", "predict http://127.0.0.1:9/dog.jpg", 3, "127.0.0.1:9"),
    Bad("picture: a file URL to nothing", "predict file:///nowhere/dog.jpg", 3, "/nowhere"),
    Bad("picture: no name", "predict <>", 3, "error: "),
    Bad("picture: a name too long", f"predict {'x' * 300}.jpg", 3, "xxxx"),
    Bad("picture: none", "predict", 2, "needs at least one image"),
    Bad("picture: all of several", "predict empty.jpg empty.jpg", 3, "empty.jpg"),
    # networks
    Bad("net: misspelt", "predict dog.png --net bundeld", 2, "no network 'bundeld'"),
    Bad("net: no name", "predict dog.png --net <>", 2, "no network ''"),
    Bad("net: unknown source", "predict dog.png --net tmm:resnet50", 2, "'tmm'; nearest of"),
    Bad("net: not in timm", "predict dog.png --net timm:resnt50", 2, "'resnt50'; nearest of"),
    Bad("net: not in torchvision", "predict dog.png --net torchvision:resnet19", 2, "'resnet19'; nearest of"),
    Bad("net: no such module", "predict dog.png --net nowhere.models:resnet", 2, "'nowhere.models'"),
    Bad("net: no such file", "predict dog.png --net netz.py:plain", 2, "'netz.py'; nearest of"),
    Bad("net: no such function", "predict dog.png --net nets.py:plian", 2, "'plian'; nearest of"),
    Bad("net: no function", "predict dog.png --net nets.py", 2, "'nets.py': say which function"),
    Bad("net: raises", "predict dog.png --net nets.py:raises", 3, "on holiday"),
    Bad("net: gives nothing", "predict dog.png --net nets.py:none", 3, "'nets.py:none' gave a NoneType"),
    Bad("net: gives text", "predict dog.png --net nets.py:text", 3, "'nets.py:text' gave a str"),
    Bad("net: needs arguments", "predict dog.png --net nets.py:needs", 3, "'nets.py:needs' failed: TypeError"),
    Bad("net: exits", "predict dog.png --net nets.py:exits", 3, "'nets.py:exits' failed: SystemExit"),
    Bad("net: bad syntax", "predict dog.png --net broken.py:net", 3, "'broken.py:net' failed: SyntaxError"),
    Bad("net: a checkpoint", "predict dog.png --net other.safetensors", 3, "'other.safetensors' holds weights"),
    Bad("net: NaN in its weights", "predict dog.png --net nets.py:nan", 3, "not finite"),
    Bad("net: its forward raises", "predict dog.png --net nets.py:breaks", 3, "shapes do not agree"),
    Bad("net: several outputs", "predict dog.png --net nets.py:two", 2, "a dict of logits, aux"),
    Bad("net: no such output", "predict dog.png --net nets.py:two --output logit", 2, "no output 'logit'"),
    Bad("net: --output for --out", f"grad_cam dog.png {NET} --output dog.png", 2, "say --out"),
    # checkpoints and labels
    Bad("weights: no such file", f"predict dog.png {NET} --weights othr.safetensors", 2, "othr.safetensors"),
    Bad("weights: a folder", f"predict dog.png {NET} --weights folder", 3, "'folder' is a folder"),
    Bad("weights: empty", f"predict dog.png {NET} --weights empty.jpg", 3, "'empty.jpg' is empty"),
    Bad("weights: truncated", f"predict dog.png {NET} --weights half.pth", 3, "half.pth"),
    Bad("weights: a program", f"predict dog.png {NET} --weights evil.pth", 3, "evil.pth"),
    Bad("weights: a whole module", f"predict dog.png {NET} --weights whole.pth", 3, "whole.pth"),
    Bad("weights: damaged safetensors", f"predict dog.png {NET} --weights half.safetensors", 3, "half.safetensors"),
    Bad("weights: other shapes", f"predict dog.png {NET} --weights shapes.safetensors", 3, "shapes.safetensors"),
    Bad("weights: other architecture", f"predict dog.png {NET} --weights other.safetensors", 3, "other.safetensors"),
    Bad("labels: no such file", f"predict dog.png {NET} --labels naems.txt", 2, "naems.txt"),
    Bad("labels: bad JSON", f"predict dog.png {NET} --labels broken.json", 2, "broken.json"),
    # layers
    Bad("layer: misspelt", f"grad_cam dog.png {NET} --layer act3", 2, "no layer 'act3'; nearest of"),
    Bad("layer: no places", f"grad_cam dog.png {NET} --layer head", 2, "'head' gives 4 numbers"),
    Bad("layer: empty", f"grad_cam dog.png {NET} --layer <>", 2, "names no layer: one name"),
    Bad("layer: none in the net", "grad_cam dog.png --net nets.py:vector", 2, "no layer of"),
    Bad("cam: no averaging head", "cam dog.png --net nets.py:flat", 2, "use grad_cam"),
    Bad("guided: no activations", "guided_backprop dog.png --net nets.py:linear", 2, "no activation of"),
    # targets
    Bad("target: misspelt", f"gradient dog.png {NET} --target boxxer", 2, "no class 'boxxer'; nearest of 4: boxer"),
    Bad("target: several classes", "gradient dog.png --target crane", 2, "2 classes are called 'crane'"),
    Bad("target: number too large", f"gradient dog.png {NET} --target 1000", 2, "no class 1000"),
    Bad("target: negative", f"gradient dog.png {NET} --target -1", 2, "'-1'"),
    Bad("target: empty", f"gradient dog.png {NET} --target <>", 2, "the target is empty"),
    Bad("target: blank", f"gradient dog.png {NET} --target <__>", 2, "the target is empty"),
    Bad("target: minus nothing", f"gradient dog.png {NET} --target <cat_-_>", 2, "'cat -'"),
    Bad("target: minus misspelt", f"gradient dog.png {NET} --target <cat_-_dgo>", 2, "no class 'dgo'"),
    Bad("target: two minuses", f"gradient dog.png {NET} --target <cat_-_-_dog>", 2, "error: "),
    Bad("target: probability of nothing known", f"gradient dog.png {NET} --target p(dgo)", 2, "no class 'dgo'"),
    Bad("target: no such unit", f"gradient dog.png {NET} --target act2:99", 2, "no unit 99 in layer 'act2'"),
    Bad("target: unit of no layer", f"gradient dog.png {NET} --target akt2:1", 2, "no layer 'akt2'; nearest of"),
    Bad("target: no such cell", f"gradient dog.png {NET} --target act2:1@99,0", 2, "no cell 99,0 in layer 'act2'"),
    Bad("target: no such WordNet id", "gradient dog.png --target n99999999", 2, "no class 'n99999999'"),
    Bad("target: name without labels", "gradient dog.png --net nets.py:bare --target cat", 2, "has no labels"),
    Bad("target: method has none", f"occlusion_labels dog.png {NET} --target cat", 2, "no occlusion-labels option"),
    # options
    Bad("command: misspelt", "grad_kam dog.png", 2, "no command 'grad_kam'; nearest of"),
    Bad("option: misspelt", f"occlusion dog.png {NET} --sise 3", 2, "'--sise'; nearest of"),
    Bad("option: too small", f"occlusion dog.png {NET} --size 0", 2, "--size '0': input should be greater"),
    Bad("option: too large", f"integrated_gradients dog.png {NET} --steps 5000", 2, "--steps '5000': input"),
    Bad("option: no number", f"occlusion dog.png {NET} --size large", 2, "--size 'large': input should be"),
    Bad("option: no such choice", f"occlusion dog.png {NET} --fill grey", 2, "no fill 'grey'; nearest of 7: gray"),
    Bad("option: no value", f"gradient dog.png {NET} --target", 2, "'--target' requires an argument"),
    Bad("option: value for a flag", f"grad_cam dog.png {NET} --against=3", 2, "'--against' does not take a value"),
    Bad("option: no guesses", f"predict dog.png {NET} --top 0", 2, "--top '0'"),
    Bad("option: no classes", f"explain dog.png {NET} --classes 0", 2, "--classes '0'"),
    Bad("option: no such method", f"explain dog.png {NET} --methods gradcam", 2, "no method 'gradcam'; nearest of"),
    Bad("option: no method", f"explain dog.png {NET} --methods <>", 2, "no method ''"),
    Bad("option: method without target", f"explain dog.png {NET} --methods occlusion_labels", 2, "occlusion_labels"),
    Bad("option: no such device", f"predict dog.png {NET} --device tpu", 2, "--device 'tpu': choose from auto"),
    Bad("option: no threads", f"predict dog.png {NET} --threads 0", 2, "--threads '0'"),
    Bad("option: no pixels", f"predict dog.png {NET} --input-size 0", 2, "--input-size '0'"),
    Bad("option: three sides", f"predict dog.png {NET} --input-size 1x2x3", 2, "--input-size '1x2x3'"),
    Bad("option: mean is no number", f"predict dog.png {NET} --mean black", 2, "--mean 'black'"),
    Bad("option: mean per half a channel", f"predict dog.png {NET} --mean 0.5,0.5", 2, "mean has 2 values"),
    Bad("option: deviation of 0", f"predict dog.png {NET} --std 0", 2, "--std 0"),
    Bad("argument: one too many", "methods all", 2, "all"),
    # where it should go
    Bad("out: unknown kind", f"gradient dog.png {NET} --out dog.bmp", 2, "'dog.bmp'"),
    Bad("out: no kind", f"gradient dog.png {NET} --out dog.xyz", 2, "'dog.xyz'"),
    Bad("out: below a file", f"gradient dog.png {NET} --out dog.png/dog.npz", 2, "'dog.png/dog.npz'"),
    Bad("out: not writable", f"gradient dog.png {NET} --out /proc/dog.npz", 2, "/proc/dog.npz"),
    Bad("out: a file for two", f"gradient dog.png noise.png {NET} --out dog.npz", 2, "one file for 2 images"),
)  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything is that the table talks of."""
    here = tmp_path_factory.mktemp("bad")
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8))
    for name in ("dog.png", "noise.png", "whole.jpg"):
        picture.save(here / name)
    whole, jpeg = (here / "dog.png").read_bytes(), (here / "whole.jpg").read_bytes()
    content = {
        "empty.jpg": b"",
        "page.jpg": b"<!doctype html><html><body>404 not found</body></html>",
        "drawing.jpg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "print.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
        "paper.png": b"%PDF-1.7\n" + bytes(99),
        "archive.jpg": b"PK\x03\x04" + bytes(99),
        "words.png": b"so many words\n" * 9,
        "half.jpg": jpeg[: len(jpeg) // 2],
        "half.png": whole[: len(whole) // 2],
        "head.gif": b"GIF89a\x20\x00\x20\x00\x80\x00\x00",
        "wide.png": _png_header(2**31 - 1, 9),
        "large.png": _png_header(20000, 20000),
        "noise.jpg": rng.bytes(4096),
        "broken.py": b"def net(:\n",
        "broken.json": b'["cat", "dog"',
        "nets.py": NETS.encode(),
    }
    for name, data in content.items():
        (here / name).write_bytes(data)
    np.save(here / "array.npy", np.full((8, 8), np.nan))
    (here / "folder").mkdir()
    os.mkfifo(here / "pipe.jpg")
    (here / "zero.jpg").symlink_to("/dev/zero")
    (here / "dangling.jpg").symlink_to("gone.jpg")
    _checkpoints(here)
    return here


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@dataclass
class Evil:
    """What a pickle can hold: it would make a file."""

    path: Path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.path}",)


def _checkpoints(here: Path) -> None:
    conv = torch.nn.Conv2d(3, 6, 3)
    torch.save(conv.state_dict(), here / "whole_state.pth")
    data = (here / "whole_state.pth").read_bytes()
    (here / "half.pth").write_bytes(data[: len(data) // 2])
    torch.save(conv, here / "whole.pth")
    (here / "evil.pth").write_bytes(pickle.dumps(Evil(here / "ran")))
    shapes = {"a.weight": (9, 3, 3, 3), "a.bias": (9,), "b.weight": (8, 9, 3, 3), "b.bias": (8,),
              "head.weight": (4, 8), "head.bias": (4,)}  # fmt: skip
    safetensors.torch.save_file({k: torch.zeros(v) for k, v in shapes.items()}, here / "shapes.safetensors")
    safetensors.torch.save_file({f"layer{i}.weight": torch.zeros(3, 3) for i in range(4)}, here / "other.safetensors")
    whole = (here / "other.safetensors").read_bytes()
    (here / "half.safetensors").write_bytes(whole[: len(whole) // 2])


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In that folder, with every network loaded once; nothing may appear there."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    monkeypatch.setattr(load_module, "load", lambda spec, **how: _cached(spec, tuple(how.items())))
    before = set(folder.iterdir())
    yield
    new = {path for path in set(folder.iterdir()) - before if path.name != "__pycache__"}
    for path in new:
        path.unlink() if path.is_file() else shutil.rmtree(path)
    assert not new, "something was left behind"


_load = load_module.load


@cache
def _cached(spec: str, how: tuple[tuple[str, Any], ...]) -> Net:
    return _load(spec, **dict(how))


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.kind)
def test_bad_input(bad: Bad, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    if bad.kind.startswith("weights: "):  # the program meets its child in a test of its own
        request.getfixturevalue("read_here")
    begun = time.process_time()  # not by the clock, which runs for other processes too
    code = main(bad.argv)
    seconds = time.process_time() - begun
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert code == bad.code, said.err
    several = bad.kind.endswith("of several")
    assert len(lines) == (2 if several else 1), said.err
    assert lines[0].startswith("error: ")
    assert bad.says in lines[0]
    assert "Traceback" not in said.err
    assert not said.out
    assert seconds < 10
    assert len(lines[0]) < 600


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 60
    assert len({bad.kind for bad in BAD}) == len({bad.typed for bad in BAD}) == len(BAD)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what the test does without")
def test_no_such_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "dog.png", "--net", "nets.py:plain", "--device", "cuda"]) == 5
    assert "no CUDA device here" in capsys.readouterr().err


def test_a_name_that_could_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "a\x1b[2J\nb.png"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said


@pytest.mark.slow
def test_no_program_of_a_checkpoint_runs(folder: Path) -> None:
    assert main(["predict", "dog.png", "--net", "nets.py:plain", "--weights", "evil.pth"]) == 3
    assert not (folder / "ran").exists()


def test_good_pictures_are_done_when_others_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "dog.png", "empty.jpg", "noise.png", "--net", "nets.py:plain", "--top", "1"]) == 4
    said = capsys.readouterr()
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["dog.png", "noise.png"]
    assert said.err.count("error: ") == 1
    assert "'empty.jpg'" in said.err
