"""The command line: help made from the declarations, results on stdout, everything else on stderr, exit codes."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import json
import os
import pty
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import numpy as np
import pytest
import torch
from PIL import Image
from pydantic.fields import FieldInfo

import pellucid as pl
from pellucid import cli, progress
from pellucid.ask import Ask
from pellucid.catalogue import Entry, entries, find
from pellucid.cli import watch as watching
from pellucid.cli.common import common
from pellucid.cli.everyday import EVERYDAY
from pellucid.cli.files import NUMBERS, PICTURES
from pellucid.cli.group import group
from pellucid.cli.options import flag_of, options_from, switched
from pellucid.cli.page import EXIT_CODES, Command
from pellucid.data import Data
from pellucid.described import written_default
from pellucid.draw import kinds, view_options
from pellucid.history import History
from pellucid.images import Images, read
from pellucid.index import Index
from pellucid.methods.units import Indexes, Unit
from pellucid.net import Net
from pellucid.net import load as load_module
from pellucid.net.load import load
from pellucid.net.nets import Nets
from pellucid.result import Table
from pellucid.result.serial import packed
from pellucid.target import Target, Targets
from tests.methods.units.marked import painted
from tests.test_every_method import ALIKE, MANY, PAIRED, QUICK, in_lane, one_of_each_kind

NETS = """
import torch
from torch import nn
from pellucid.net import Labels, Preprocess


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Conv2d(3, 6, 3, padding=1, stride=2)
        self.act = nn.ReLU()
        self.b = nn.Conv2d(6, 8, 3, padding=1)
        self.act2 = nn.ReLU()
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.act2(self.b(self.act(self.a(x)))).mean((2, 3)))


class Dropped(Plain):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.3, self.training)


class Slow(Plain):
    def forward(self, x):
        import pathlib, time
        pathlib.Path("at_work").touch()
        time.sleep(0.05)
        return super().forward(x)


class Warns(Plain):
    def forward(self, x):
        import warnings, logging
        warnings.warn("the moon is full")
        warnings.warn("this will change", FutureWarning)
        logging.getLogger("nets").warning("a line of a log")
        return super().forward(x)


class Bug(Plain):
    def forward(self, x):
        raise KeyboardInterrupt


SEEN, LABELS = Preprocess((32, 32), channels=3), Labels.plain(["cat", "dog", "tiger cat", "boxer"])
def plain(): return Plain(), SEEN, LABELS
def slow(): return Slow(), SEEN, LABELS
def moved(name):
    net = Plain()
    with torch.no_grad():
        getattr(net, name).bias += 1
    return net
def second(): return moved("b"), SEEN, LABELS
def third(): return moved("head"), SEEN, LABELS
def undecided():
    net = Plain()
    with torch.no_grad():
        net.head.bias -= net(torch.rand(32, 3, 32, 32)).mean(0)
    return net, SEEN, LABELS
def dropped(): return Dropped(), SEEN, LABELS
def warns(): return Warns(), SEEN, LABELS
def bug(): return Bug(), SEEN, LABELS
"""
NET = ["--net", "nets.py:plain"]
OWN = ["init", "explain", "predict", "layers", "index", "serve", "report", "table", "show", "methods", "doctor"]
"""Commands that are no methods."""


def called(entry: Entry) -> str:
    """A method as a command: with its chapter where an everyday command has its name."""
    return f"{entry.chapter}.{entry.name}" if entry.name in EVERYDAY else entry.name


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with two pictures and some networks."""
    rng = np.random.default_rng(0)
    for name in ("dog.png", "cat.png"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """run("predict", "dog.png") -> exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


Run = Callable[..., tuple[int, str, str]]


def started(*words: str, **how: Any) -> subprocess.Popen[str]:
    """The program itself, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pellucid", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    )


# help


def test_help_without_torch_and_soon() -> None:
    """Also `methods`: whoever looks around should not wait. The limit is generous, for busy machines."""
    code = """if True:
        import sys
        from pellucid.cli import main
        codes = [main(words) for words in (
            ["--help"], [], ["methods"], ["methods", "--json"], ["--version"], ["oops"], ["attribution"],
            ["attribution", "--help"], ["predict", "-h"], ["layers", "--help"], ["units", "oops"])]
        heavy = {"torch", "numpy", "matplotlib", "PIL", "scipy"} & set(sys.modules)
        print(codes, sorted(heavy), file=sys.stderr)
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2  # seconds of its own, on any machine
    assert done.stderr.splitlines()[-1] == "[0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2] []"


def test_help_names_every_command(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    chapters = {entry.chapter for entry in entries()}
    for name in ("explain", "predict", "layers", "methods", "doctor", *chapters):
        assert f"\n  {name} " in out
    assert "_PELLUCID_COMPLETE" in out
    assert len(out.splitlines()) <= 40, "one screen"
    assert run()[:2] == (0, out)
    for chapter in chapters:
        code, said, err = run(chapter, "--help")
        assert (code, err) == (0, "")
        assert run(chapter)[1] == said
        for entry in entries():
            line = f"\n  {entry.name.replace('_', '-')} "
            assert (line in said) == (entry.chapter == chapter)


def test_a_method_is_found_with_its_chapter_and_without(run: Run) -> None:
    for words in (["grad-cam"], ["grad_cam"], ["attribution", "grad-cam"], ["attribution", "grad_cam"],
                  ["attribution.grad_cam"]):  # fmt: skip
        code, out, err = run(*words, "--help")
        assert (code, err) == (0, "")
        assert out.startswith("Grad-CAM: ")


def test_unknown_commands_are_answered_with_the_nearest_of_both_forms(run: Run) -> None:
    for words, said in [
        (["atribution"], "no command 'atribution'; nearest of"),
        (["grad_cm"], "grad-cam"),
        (["attribution", "gradcam"], "no command of attribution 'gradcam'; nearest of"),
        (["units", "grad-cam"], "it is pellucid attribution grad-cam"),
        (["unit"], "units"),
    ]:
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


def test_a_name_of_two_chapters_needs_its_chapter(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(find("grad_cam"), chapter="quality", purpose="another")
    monkeypatch.setattr("pellucid.cli.chapters.entries", lambda: (*entries(), other))
    code, _, err = run("grad-cam", "dog.png")
    assert (code, "pellucid attribution grad-cam or pellucid quality grad-cam" in err) == (2, True)
    assert run("attribution", "grad-cam", "--help")[0] == 0
    assert "\n  quality " in run("--help")[1]
    assert re.search(r"\n  grad-cam +Another\n", run("quality", "--help")[1])


def test_the_short_page_names_what_the_long_one_explains(run: Run) -> None:
    (short, out), (long, whole) = run("grad-cam", "-h")[:2], run("grad-cam", "--help")[:2]
    assert short == long == 0
    assert len(out.splitlines()) < len(whole.splitlines()) / 2
    for option in common(out=True):
        assert option.opts[0] in out
    assert "--layer" in out


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(called(entry) for entry in entries()), *OWN])
def test_examples_are_commands(name: str) -> None:
    """Each page has two, and every word of them is understood."""
    command = group().get_command(click.Context(group()), name)
    assert isinstance(command, Command)
    assert len(command.examples) == 2
    painted(Path("broden"), 3)  # a folder of concepts is read where it is named
    Path("boxes.csv").write_text("image,label,x1,y1,x2,y2\ndog.png,dog,1,1,9,9\n")  # and so are boxes
    Path("decisions.csv").write_text("image,given,decision,label\ndog.png,cat,accept,dog\n")
    Path("concepts.csv").write_text("class,stripes\ndog,no\ncat,yes\n")
    for example in command.examples:
        first, *words = shlex.split(example)
        context = click.Context(group())
        found, made, rest = group().resolve_command(context, words)
        while isinstance(made, click.Group):
            found, made, rest = made.resolve_command(context, rest)
        assert (first, found) == ("pellucid", name.rpartition(".")[2])
        assert made is not None
        made.make_context(name, rest)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_help_is_the_declaration(entry: Entry, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option with its words, default and range; nothing is written down a second time."""
    monkeypatch.setattr(click.formatting, "FORCED_WIDTH", 4000)
    code, out, err = run(called(entry), "--help")
    assert (code, err) == (0, "")
    assert entry.title in out
    assert entry.source in out
    for name, field in entry.options.model_fields.items():
        block = out.partition(f"\n  {flag_of(name, field)} ")[2].partition("\n  -")[0]  # a long one takes two lines
        line = " ".join(block.split())
        assert field.description in line
        words = written_default(field.metadata)
        if words or (field.default not in (None, ()) and not field.is_required()):
            assert f"default: {words or _said(field.default)}" in line
        for bound in field.metadata:
            for kind in ("ge", "gt", "le", "lt"):
                limit = getattr(bound, kind, None)
                assert limit is None or limit > 2**31 or str(limit) in line.partition("[")[2]
        for choice in _choices(field):
            assert str(choice) in line.partition("  [")[0]
    assert ("--target" in out) == ("target" in entry.arguments)
    for option in common(out=True):
        if option.section != "Network" or not of_index(entry):  # an index knows its network
            assert option.opts[-1] in out or of_index(entry)


def _said(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return ("no", "yes")[default] if isinstance(default, bool) else str(default)


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    kinds = (field.annotation, *get_args(field.annotation))
    return tuple(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind))


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_no_option_of_a_method_hides_a_common_one(entry: Entry) -> None:
    ours = {option.name for option in common(out=True)} | {"target", "images", "help"}
    assert (not ours & set(entry.options.model_fields)) or of_index(entry)


@pytest.mark.parametrize("name", OWN)
def test_help_of_our_own_commands(name: str, run: Run) -> None:
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert "--json" in out
    assert "--quiet" in out
    assert out.splitlines()[-1] == EXIT_CODES


# every method


@one_of_each_kind
def test_every_method_answers_as_in_python(entry: Entry, folder: Path, run: Run) -> None:
    """Numbers saved by the command are those of the function, with the same defaults."""
    if of_index(entry) or entry.asks(Data, Nets, History):
        pytest.skip("reads an index, or data: below")
    network = "nets.py:dropped" if entry.name == "uncertainty" else "nets.py:plain"
    small = {
        name: value for name, value in (("size", 12), ("stride", 8), ("steps", 3)) if name in entry.options.model_fields
    }
    if entry.chapter == "captions":  # their trainings take a minute
        small = dict(QUICK[entry.name])
    words = [word for name, value in small.items() for word in (f"--{name}", str(value))]
    shown = ["dog.png", "cat.png"][: 2 if entry.name in PAIRED else 1]
    words += shown if entry.asks(Images) else []
    target = entry.argument(Target, Targets)
    asked = {target: "dog"} if target and entry.arguments[target].default is inspect.Parameter.empty else {}
    words += ["-t", "dog"] if asked else []
    if entry.name == "interpolation":  # from one target to another
        small, words = {**small, "end": "cat"}, [*words, "--end", "cat"]
    code, out, err = run(called(entry), "--net", network, *words, "--out", "dog.npz", "--quiet")
    assert (code, out, err) == (0, "dog.npz\n", "")
    answer: Any = Ask(entry.name, asked, small).answer(load(network), read(shown))
    with np.load("dog.npz") as saved:
        for name, values in arrays(answer).items():
            np.testing.assert_allclose(saved[name], values, rtol=1e-4, atol=1e-6)
    meta = pl.open("dog.npz").meta
    assert (meta.method, meta.options) == (entry.name, answer.meta.options)
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        "cat.png", "dog.npz", "dog.png", "nets.py",
    ]  # fmt: skip


OF_DATA = [one for one in entries() if one.asks(Data, Nets, History) and not one.asks(Index, Indexes)]


@pytest.mark.parametrize("entry", in_lane(OF_DATA, ALIKE))
def test_every_method_of_data_answers_as_in_python(entry: Entry, folder: Path, run: Run) -> None:
    """Networks first, then the data, or the folder of a training; the numbers are those of the function."""
    rng = np.random.default_rng(1)
    classes = 3 if entry.name == "groups" else 4  # of three there are two images in each group
    np.savez("data.npz", images=rng.integers(0, 255, (12, 32, 32, 3), np.uint8), labels=np.arange(12) % classes)
    Path("run").mkdir()
    rows = [{"step": i, "train loss": 2 / (i + 1), "test loss": 1 + abs(i - 4) / 9} for i in range(12)]
    Path("run/log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = {"doubt": "nets.py:dropped", "grid_pointing": "nets.py:undecided"}
    network = own.get(entry.name, "nets.py:plain")
    networks = [network, "nets.py:second", "nets.py:third"][: MANY.get(entry.name, 1)]
    words = [*(networks if entry.asks(Net, Nets) else ()), "run" if entry.asks(History) else "data.npz"]
    small = {name: value for name, value in QUICK[entry.name].items() if not isinstance(value, tuple)}
    if entry.name == "concept_bottleneck":  # a row for each class
        small["concepts"] = "said.csv"
        Path("said.csv").write_text("class,stripes\n" + "".join(f"{k},{'yes' if k else 'no'}\n" for k in range(4)))
    for name in [name for name, value in small.items() if isinstance(value, dict)]:  # what a file holds
        Path("said.json").write_text(json.dumps(small[name]))
        small[name] = "said.json"
    for name in [name for name, value in small.items() if isinstance(value, list)]:  # one for each image
        rows = [",".join(one) if isinstance(one, list) else f"{i},{one}" for i, one in enumerate(small[name])]
        head = "image,given,decision,label" if name == "decisions" else "image,group"
        Path("said.csv").write_text("\n".join([head, *rows]))
        small[name] = "said.csv"
    fields = entry.options.model_fields
    for name, value in small.items():
        flag = flag_of(name, fields[name])
        words += [switched(flag, value)] if isinstance(value, bool) else [flag, str(value)]
    code, out, err = run(called(entry), *words, "--out", "found.npz", "--quiet")
    assert (code, out, err) == (0, "found.npz\n", "")
    answer = Ask(entry.name, {}, small).answer(
        **entry.placed({Net: load(network), Nets: networks, Data: "data.npz", History: "run"})
    )
    with np.load("found.npz") as saved:
        for name, values in arrays(answer).items():
            np.testing.assert_allclose(saved[name], values, rtol=1e-4, atol=1e-6)
    assert pl.open("found.npz").meta.options == answer.meta.options


@pytest.mark.slow
def test_notes_on_an_image_stand_under_that_image_and_are_values_in_json(folder: Path, run: Run) -> None:
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save("night.png")
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save("cave.png")
    words = ["occlusion", "night.png", "dog.png", "cave.png", *NET, "--fill", "black", "-o", "out/"]
    Path("out").mkdir()
    code, _, err = run(*words, "-t", "dog")
    assert code == 0
    lines = [line.partition(" · ")[0] for line in err.splitlines() if "png" in line]
    zero = "the map is zero everywhere: nothing there moves this score"
    assert lines == ["night.png", f"note: night.png: {zero}", "dog.png", "cave.png", f"note: cave.png: {zero}"]
    results = [json.loads(line)["results"][0] for line in run(*words, "-t", "dog", "--json")[1].splitlines()]
    assert [one["meta"]["notes"] for one in results] == [
        [{"topic": "values", "text": zero, "image": "night.png"}], [],
        [{"topic": "values", "text": zero, "image": "cave.png"}],
    ]  # fmt: skip


def test_a_method_with_its_options_is_an_option(folder: Path, run: Run) -> None:
    few = ("--samples", "2", "--quiet")
    assert run("smooth_grad", "dog.png", *NET, "--of", "lrp:composite=epsilon", "-o", "a.npz", *few)[0] == 0
    asked = Ask("lrp", composite="epsilon")
    heat = pl.attribution.smooth_grad(load("nets.py:plain"), read("dog.png"), of=asked, samples=2)
    saved: Any = pl.open("a.npz")
    np.testing.assert_allclose(saved.values, heat.values, rtol=1e-4, atol=1e-6)
    assert saved.meta.options["of"] == "lrp:composite=epsilon"
    code, _, err = run("smooth_grad", "dog.png", *NET, "--of", "lrp:composit=epsilon")
    assert (code, "no option of lrp 'composit'; nearest" in err) == (2, True)


def of_index(entry: Entry) -> bool:
    return entry.asks(Index, Indexes)


SMALL: dict[str, dict[str, Any]] = {
    "because": {"concepts": "marked", "min_iou": 0.001, "points": 2},
    "dissection": {"concepts": "marked"},
    "atlas": {"grid": 2, "min_per_cell": 1, "steps": 2},
    "map": {"method": "pca"},
    "place": {"method": "pca"},
}
"""Options of methods that would take long, or need one."""


@pytest.mark.parametrize("entry", in_lane((e for e in entries() if of_index(e)), ALIKE))
def test_every_method_of_an_index_answers_as_in_python(entry: Entry, folder: Path, run: Run) -> None:
    painted(folder / "marked", 3)
    for name in ("dog", "cat"):
        (folder / "photos" / name).mkdir(parents=True)
        (folder / f"{name}.png").replace(folder / "photos" / name / f"{name}.png")
    for i in range(6):  # a map needs some, and what asks about training images needs classes
        pixels = np.random.default_rng(i).integers(0, 255, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(f"photos/{('dog', 'cat')[i % 2]}/{i}.png")
    assert run("index", "photos", *NET, "--store", "x.index", "--layers", "act", "--quiet")[:2] == (0, "x.index\n")
    images = {Images: ["photos/dog/dog.png"], Data: "photos/dog"}
    nouns = entry.placed({Index: "x.index", Indexes: ["x.index"] * 2, Unit: "act:2", **images})
    words = [word for one in nouns.values() for word in ([one] if isinstance(one, str) else one)]
    small = SMALL.get(entry.name, {})
    words += [word for name, value in small.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    code, out, err = run(called(entry), *words, *NET, "--out", "x.npz", "--quiet")
    assert (code, out, err) == (0, "x.npz\n", "")
    own = Index.of("x.index").with_net(load(NET[1]))
    asked: Any = entry.function(**nouns | entry.placed({Index: own, Indexes: [own, own]}), **small)
    with np.load("x.npz") as saved:
        for name, values in arrays(asked).items():
            np.testing.assert_allclose(saved[name], values, rtol=1e-4, atol=1e-6)
    assert pl.open("x.npz").meta.method == entry.name


def test_questions_to_an_index(folder: Path, run: Run) -> None:
    (folder / "photos").mkdir()
    for k in range(6):
        Image.fromarray(np.random.default_rng(k).integers(0, 255, (40, 60, 3), np.uint8)).save(f"photos/{k}.png")
    assert run("index", "photos", *NET, "--store", "x.index", "--quiet")[0] == 0
    code, _, err = run("page", "x.index", "act:2", "--quiet")
    assert (code, "name it with --net SPEC" in err) == (2, True)
    code, out, err = run("page", "x.index", "act:2", *NET, "--quiet")
    assert (code, out, err) == (0, "x.act-2.page.png\n", "")
    code, out, _ = run(
        "units", "table", "x.index", "--where", "layer = 'act'", "--sort", "greatest", "--max-rows", "3", "--json"
    )
    (answer,) = json.loads(out)["results"]
    greatest = [row["greatest"] for row in answer["rows"]]
    assert (code, greatest) == (0, sorted(greatest, reverse=True))
    code, _, err = run("units", "table", "x.index", "--where", "size > 3")
    assert code == 2
    assert err.startswith("error: 'size > 3': ")
    assert run("neighbors", "x.index", "photos/3.png", "--count", "2", *NET, "--out", "near.npz", "-q")[:2] == (
        0,
        "near.npz\n",
    )
    assert pl.open("near.npz").meta.method == "neighbors"
    code, _, err = run("neighbors", "x.index", "photos/9.png", *NET)
    assert code == 2
    assert "no image file '9.png'" in err
    (folder / "photos").rename(folder / "moved")
    assert run("top_images", "x.index", "act:2", "-q")[0] == 3
    assert run("top_images", "x.index", "act:2", "-q", "--with-images", "moved")[0] == 0
    code, _, err = run("top_images", "nothing.index", "act:2")
    assert (code, err.startswith("error: 'nothing.index' is no index")) == (3, True)
    code, _, err = run("top_images", "x.index")
    assert (code, err.startswith("error: top-images needs LAYER:UNIT")) == (2, True)


@pytest.mark.parametrize("name", ["dissection", "color", "receptive_field"])
def test_one_name_is_taken_where_several_may_be_given(name: str) -> None:
    layers = next(one for one in options_from(find(name).options) if one.name == "layers")
    assert layers.type.convert("layer4", None, None) == ("layer4",)
    assert layers.type.convert("layer3,layer4", None, None) == ("layer3", "layer4")


def arrays(result: Any) -> dict[str, Any]:
    """The numbers of a result under the names that its file has for them."""
    return packed(result)[0]


def test_options_reach_the_method(run: Run) -> None:
    code, out, _ = run(
        "grad_cam", "dog.png", *NET, "-t", "tiger cat - dog", "--layer", "act", "--against", "--json", "-o", "dog.npz"
    )
    assert code == 0
    (result,) = json.loads(out)["results"]
    meta = result["meta"]
    assert meta["options"] == {"layer": "act", "against": True, "placement": "auto"}
    assert (meta["target"], meta["layer"]) == ("tiger cat - dog", "act")


@pytest.mark.parametrize("spelling", ["--input_size", "--input-size"])
def test_both_spellings(spelling: str, run: Run) -> None:
    code, out, _ = run("layers", *NET, spelling, "16x24", "--json")
    assert code == 0
    assert json.loads(out)["size"] == [16, 24]
    assert run("grad-cam", "dog.png", *NET, "-o", "x.npz")[0] == 0


def test_json_of_a_method(run: Run) -> None:
    code, out, err = run("occlusion", "dog.png", "cat.png", *NET, "--json", "--out", "./", "-q", "--stride", "10")
    assert (code, err) == (0, "")
    documents = [json.loads(line) for line in out.splitlines()]
    assert all({"schema": 1, "command": "occlusion"}.items() <= one.items() for one in documents)
    first, second = (result for one in documents for result in one["results"])
    assert first.keys() >= {"image", "kind", "shape", "min", "max", "unit", "saved", "meta", "placement", "views"}
    assert (first["image"], first["kind"], first["shape"], first["unit"]) == ("dog.png", "Heatmap", [1, 4, 4], "logit")
    assert second["saved"] == ["cat.occlusion.png"]
    options = {"size": None, "stride": 10, "fill": "gray", "border": "inside", "per_pixel": False, "seed": 0}
    assert first["meta"]["options"] == options
    assert first["meta"]["weights"] == load("nets.py:plain").weights
    assert "values" not in first


@pytest.mark.slow
def test_a_single_map_of_a_fast_method_is_checked_unless_told_otherwise(run: Run) -> None:
    def checks(method: str, *words: str) -> list[set[str]]:
        code, out, _ = run(method, *words, *NET, "--json", "--out", "./", "-q")
        assert code == 0
        documents = [json.loads(out)] if words.count("cat.png") == 0 else map(json.loads, out.splitlines())
        results = [one for document in documents for one in document["results"]]
        return [{*one["meta"]["found"]} & {"random_weights", "shift"} for one in results]

    both, none = {"random_weights", "shift"}, set[str]()
    assert checks("gradient", "dog.png") == [both]
    assert checks("gradient", "dog.png", "--top", "2") == [both, both]
    assert checks("gradient", "dog.png", "--no-check") == [none]
    assert checks("gradient", "dog.png", "cat.png") == [none, none]
    assert checks("gradient", "dog.png", "cat.png", "--check") == [both, both]
    assert checks("occlusion", "dog.png", "--stride", "10") == [none], "it takes many passes"


# pictures


def test_a_picture_is_saved_here_under_the_names_of_image_and_method(folder: Path, run: Run) -> None:
    (folder / "sub").mkdir()
    (folder / "dog.png").rename(folder / "sub" / "dog.png")
    code, out, err = run("grad_cam", "sub/dog.png", *NET)
    assert (code, out) == (0, "dog.grad_cam.png\n")
    assert "Grad-CAM" in err
    assert "note: layer act2" in err
    with Image.open("dog.grad_cam.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 40
    assert run("grad_cam", "sub/dog.png", *NET)[1] == "dog.grad_cam-2.png\n", "nothing is lost"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", PICTURES + NUMBERS)
def test_the_suffix_decides(suffix: str, run: Run) -> None:
    marks = {
        ".png": b"\x89PNG",
        ".svg": b"<?xml",
        ".pdf": b"%PDF",
        ".npz": b"PK",
        ".jpg": b"\xff\xd8",
        ".webp": b"RIFF",
        ".json": b'{"results":',
        ".csv": b"array,axis0",
    }
    assert run("gradient", "dog.png", *NET, "-o", f"x{suffix}")[:2] == (0, f"x{suffix}\n")
    assert Path(f"x{suffix}").read_bytes().startswith(marks[suffix])


@pytest.mark.slow
def test_a_view_changes_the_picture_and_no_number(run: Run) -> None:
    for i, view in enumerate(("opacity=0.2", "view=positive,dark")):
        ask = ("grad_cam", "dog.png", *NET, "--view", view, "-o", f"{i}.png", "-o", f"{i}.npz")
        assert run(*ask)[0] == 0
    assert Path("0.png").read_bytes() != Path("1.png").read_bytes()
    assert Path("0.npz").read_bytes() == Path("1.npz").read_bytes()
    assert run("grad_cam", "dog.png", *NET, "--view", "positive", "--view", "dark", "-o", "2.png")[0] == 0
    assert Path("2.png").read_bytes() == Path("1.png").read_bytes()


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("veiw=positive", "no key of --view 'veiw'; nearest of 12: view"),
        ("opacity=3", "--view opacity='3': input should be less than or equal to 1"),
        ("dark=perhaps", "--view dark=perhaps: yes or no"),
        ("view=both", "--view view='both': choose from signed, positive, negative, magnitude"),
        ("colors=blood", "no colors 'blood'"),
    ],
)
def test_a_view_that_is_none(view: str, said: str, run: Run) -> None:
    code, out, err = run("grad_cam", "dog.png", *NET, "--view", view)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_option_of_a_drawing_says_what_it_does(kind: type) -> None:
    for name, field in view_options(kind).items():
        assert field.description, name
        assert not field.is_required()


def test_several_answers_and_images(folder: Path, run: Run) -> None:
    (folder / "out").mkdir()
    (folder / "more").mkdir()
    Image.new("RGB", (32, 32)).save("more/dog.png")
    code, out, _ = run("gradient", "dog.png", "more/dog.png", *NET, "-o", "out")
    assert (code, out.split()) == (0, ["out/dog.gradient.png", "out/dog-2.gradient.png"])
    assert run("gradient", "dog.png", *NET, "-o", "a.png", "-o", "a.npz")[1].split() == ["a.png", "a.npz"]


def test_tables_are_about_all_pictures_together(folder: Path, run: Run) -> None:
    """One profile of both; on stdout as lines, in a file as a picture; a picture that is not there is left out."""
    code, out, err = run("profile", "dog.png", "cat.png", *NET)
    assert code == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[0] for line in lines] == ["layer", "a", "act", "b", "act2", "head"]
    both = Ask("profile").answer(load("nets.py:plain"), read(["dog.png", "cat.png"]))
    assert isinstance(both, Table)
    assert [float(line[3]) for line in lines[1:]] == pytest.approx(list(both["mean"]), rel=1e-5)
    assert "note: no layer is sick" in err
    code, out, err = run("profile", "dog.png", "nothing.png", "cat.png", *NET, "--json")
    document = json.loads(out)
    (result,) = document["results"]
    assert (code, result["meta"]["images"]) == (4, ["dog.png", "cat.png"])
    assert [one["image"] for one in document["failed"]] == ["nothing.png"]
    assert result["findings"] == list(both.findings)
    assert run("profile", "dog.png", "cat.png", *NET, "-o", "p.png")[:2] == (0, "p.png\n")
    assert run("profile", "dog.png", "cat.png", *NET, "-o", f"{folder}/")[1] == f"{folder}/nets.profile.png\n"
    assert run("profile", "nothing.png", *NET)[0] == run("predict", "nothing.png", *NET)[0] != 0
    assert run("profile", "no.png", "nothing.png", *NET)[:2] == (run("predict", "no.png", "nothing.png", *NET)[0], "")


def test_units_of_maps(run: Run) -> None:
    for words, units in (("3,5", [3, 5]), ("7", [7])):
        assert run("maps", "dog.png", *NET, "--layer", "act2", "--units", words, "-o", "m.npz")[0] == 0
        with np.load("m.npz") as saved:
            assert saved["units"].tolist() == units
    assert "no unit 8 in layer 'act2': it has 0 to 7" in run("maps", "dog.png", *NET, "--units", "3,8")[2]
    assert "maps: --units 'a,b'" in run("maps", "dog.png", *NET, "--units", "a,b")[2]


def test_methods_without_pictures(run: Run) -> None:
    assert run("first_layer", *NET, "-o", "f.png")[:2] == (0, "f.png\n")
    code, out, err = run("health", *NET)
    assert (code, len(out.splitlines())) == (0, 7)
    assert "layer a cannot be told from random weights" in err
    said = run("health", *NET, "--layer", "act")[2]
    assert "layer 'act' is a ReLU, no 2-d convolution; convolutions are a, b" in said


def test_explain(run: Run) -> None:
    code, out, err = run("explain", "dog.png", *NET, "--classes", "2", "--methods", "grad_cam,gradient")
    assert (code, out) == (0, "dog.explain.png\n")
    assert "%" in err
    with Image.open("dog.explain.png") as picture:
        assert min(picture.size) > 100
    code, out, _ = run(
        "explain", "dog.png", *NET, "--classes", "2", "--methods", "grad_cam,gradient", "--json", "-o", "x.npz"
    )
    (result,) = json.loads(out)["results"]
    assert [row["method"] for row in result["methods"]] == ["grad_cam", "gradient"]
    assert len(result["ranked"]) == len(result["methods"][0]["maps"]) == 2
    saved: Any = pl.open("x.npz")
    assert [heat.values.shape for heat in saved.rows[0].maps] == [(1, 16, 16)] * 2
    assert [prediction.index for prediction in saved.ranked] == [prediction["index"] for prediction in result["ranked"]]


def test_what_was_saved_is_shown_again(run: Run) -> None:
    assert run("grad_cam", "dog.png", *NET, "-o", "x.npz", "-o", "x.png", "-q")[0] == 0
    assert run("show", "x.npz", "--over", "dog.png", "-o", "y.png", "-q") == (0, "y.png\n", "")
    with Image.open("x.png") as first, Image.open("y.png") as second:
        assert np.array_equal(np.asarray(first), np.asarray(second))
    code, out, err = run("show", "x.npz", "--json")
    (result,) = json.loads(out)["results"]
    assert (code, result["kind"], result["saved"]) == (0, "Heatmap", ["x.show.png"])
    assert "Grad-CAM" in err
    code, _, err = run("show", "y.npz")
    assert (code, err.startswith("error: no file 'y.npz'; nearest of 1: x.npz")) == (2, True)
    code, _, err = run("show", "dog.png")
    assert (code, err.count("\n"), "no result that Pellucid saved" in err) == (3, 1, True)


# answers in words


def test_predict(run: Run) -> None:
    code, out, err = run("predict", "dog.png", "cat.png", *NET, "--top", "2", "--scores", "logits")
    assert code == 0
    assert "--scores" not in err  # what has been said need not be guessed
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[:2] for row in rows] == [["dog.png", "1"], ["dog.png", "2"], ["cat.png", "1"], ["cat.png", "2"]]
    prediction = load("nets.py:plain").top(read("dog.png"), 1)[0]
    assert rows[0][2:] == [
        str(prediction.index),
        prediction.label,
        f"{prediction.probability:.6f}",
        f"{prediction.logit:.4f}",
    ]
    document = json.loads(run("predict", "dog.png", *NET, "--json")[1])
    assert document["schema"] == 1
    assert document["results"][0]["ranked"][0]["label"] == prediction.label
    assert document["weights"] == load("nets.py:plain").weights


def test_layers(run: Run) -> None:
    code, out, _ = run("layers", *NET)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["a", "Conv2d", "6×16×16", "3", "2", "3", "2", "0", "168"]
    assert [row[0] for row in rows] == ["a", "act", "b", "act2", "head"]
    document = json.loads(run("layers", *NET, "--json")[1])
    assert document["layers"][2] == {
        "name": "b", "kind": "Conv2d", "shape": [8, 16, 16], "kernel": [3, 3], "stride": [1, 1], "field": [7.0, 7.0],
        "local": [7.0, 7.0], "jump": [2.0, 2.0], "start": [0.0, 0.0], "parameters": 440,
    }  # fmt: skip


def test_layers_behind_a_gate_are_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gated.py").write_text("from tests.net.test_layers import Gated\n")
    code, _, err = run("layers", "--net", "gated.py:Gated", "--input-size", "16")
    assert code == 0
    assert "note: through a gate every pixel of the image reaches every cell of end; `local` of --json says" in err
    assert "note: through a gate" not in run("layers", *NET)[2]


def test_methods(run: Run) -> None:
    assert [line.split("\t")[1] for line in run("methods")[1].splitlines()] == [entry.name for entry in entries()]
    document = json.loads(run("methods", "--json")[1])
    assert document["methods"][0].keys() == {"name", "title", "source", "chapter"}


@pytest.mark.slow
def test_doctor(run: Run) -> None:
    code, out, err = run("doctor", "--json")
    assert (code, err) == (0, "")
    checks = json.loads(out)["checks"]
    assert checks["bundled network"]["state"] == "whole"
    assert checks["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert "timm" in checks["extras"]


@pytest.mark.slow
def test_doctor_finds_damage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net.sources.bundled.SHA256", "0" * 64)
    code, _, err = run("doctor")
    assert code == 3
    assert err.startswith("error: the bundled network's weights are damaged: pip install")


def test_the_network_of_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_NET", "nets.py:plain")
    assert len(run("layers")[1].splitlines()) == 5


# how it ends


def test_a_bug_is_one_line_and_a_traceback_when_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no idea")

    monkeypatch.setattr(load_module, "load", broken)
    code, _, err = run("layers", *NET)
    assert (code, err.count("\n")) == (70, 1)
    assert "ZeroDivisionError: no idea" in err
    assert "--debug" in err
    code, _, err = run("layers", *NET, "--debug")
    assert code == 70
    assert "Traceback" in err


def test_a_missing_extra_names_the_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    code, _, err = run("layers", "--net", "timm:resnet18")
    assert code == 5
    assert re.search(r"pip install (-e )?'.*\[timm\]'", err)


def test_interrupted(run: Run) -> None:
    assert run("predict", "dog.png", "--net", "nets.py:bug") == (130, "", "interrupted\n")


def test_warnings_become_notes(run: Run) -> None:
    code, _, err = run("predict", "dog.png", "cat.png", "--net", "nets.py:warns")
    first, *others = err.splitlines()
    assert (code, first) == (0, "note: the moon is full")
    assert err.count("moon") == 1
    assert any("--scores multilabel" in note and "--scores logits" in note for note in others)  # in the shell's words
    assert run("predict", "dog.png", "--net", "nets.py:warns", "--quiet")[2] == ""


def test_torch_is_left_as_it_was(run: Run) -> None:
    before, handlers = torch.get_num_threads(), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    seen: list[int] = []
    with progress.listen(lambda *_: seen.append(torch.get_num_threads())):
        run("gradient", "dog.png", *NET, "-o", "x.npz")
        run("gradient", "dog.png", *NET, "-o", "x.npz", "--threads", "2")
    assert set(seen) == {1, 2}
    assert torch.get_num_threads() == before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)], ids=lambda number: number.name
)
def test_a_signal_leaves_nothing(number: signal.Signals, folder: Path) -> None:
    (folder / "at_work").unlink(missing_ok=True)  # of an earlier test: the signal must come while the network runs
    before = set(folder.iterdir())
    with started(
        "occlusion", "dog.png", "--net", "nets.py:slow", "--stride", "1", "--size", "4", "-o", "x.npz"
    ) as process:
        deadline = time.monotonic() + 60
        while not (folder / "at_work").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.splitlines()[-1]) == (130, "", "interrupted")  # more if busy
    assert {path.name for path in set(folder.iterdir()) - before} <= {"__pycache__", "at_work"}


def test_a_reader_that_leaves() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "pellucid", "methods"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "pellucid", "methods"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert process.returncode == 2
    assert process.stderr == f"error: cannot write: {os.strerror(errno.ENOSPC)}\n"


@pytest.mark.slow
def test_a_file_name_that_is_no_text() -> None:
    """What is printed is the name, byte for byte, so that a pipe can use it."""
    Path("dog.png").rename(os.fsdecode(b"d\xffg.png"))
    words = [sys.executable, "-m", "pellucid", "gradient", b"d\xffg.png", *NET]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stdout == b"d\xffg.gradient.png\n"
    assert Path(os.fsdecode(b"d\xffg.gradient.png")).is_file()


# completion


def test_completion_of_commands() -> None:
    environment = {**os.environ, "_PELLUCID_COMPLETE": "bash_complete", "COMP_WORDS": "pellucid gra", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pellucid"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.split() == [
        "plain,grad-cam",
        "plain,grad-cam-plus-plus",
        "plain,gradient",
        "plain,gradient-times-input",
        "plain,gradient-flow",
    ]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "incomplete", "found"),
    [
        (["explain"], "cam,grad_", ["cam,grad_cam", "cam,grad_cam_plus_plus"]),
        (["occlusion", "--fill"], "b", ["black", "blur"]),
        (["occlusion"], "--str", ["--stride"]),
    ],
)
def test_completion_of_values(words: list[str], incomplete: str, found: list[str]) -> None:
    words = [*words, "--methods"] if words == ["explain"] else words
    asked = click.shell_completion.ShellComplete(group(), {}, "pellucid", "_PELLUCID_COMPLETE")
    assert [item.value for item in asked.get_completions(words, incomplete)] == found


# what is seen while waiting


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    watch = watching.Watch()
    with progress.listen(watch):
        for i in progress.steps(range(4), "pictures"):
            for _ in progress.steps(range(3), "occlusion"):
                now[0] += 4
            if i == 2:
                break
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("pictures ") for line in lines)
    assert 2 <= len(lines) <= 4, "one line in ten seconds, thirty-six seconds in all"


def test_nothing_is_said_when_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SILENCE", 0.0)
    watch = watching.Watch(quiet=True)
    watch("x", 0, 3)
    watch.note("said nobody")
    watch.error("but this")
    assert capsys.readouterr().err == "error: but this\n"


@pytest.mark.slow
def test_a_bar_on_a_terminal_that_is_gone_afterwards() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    words = ["occlusion", "dog.png", "--net", "nets.py:slow", "--stride", "1", "--size", "4", "-o", "x.npz"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pellucid", *words], stdout=subprocess.DEVNULL, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait(60) == 0
    assert b"occlusion" in seen
    assert "━".encode() in seen
    last = seen.rpartition(b"\x1b[2K")[2]  # the line is erased, and the cursor shown again
    assert b"\x1b[?25h" in seen
    assert b"Occlusion" in last
