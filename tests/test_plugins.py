"""What another package adds by entry points is everywhere; one that cannot be imported is named, and harms nothing."""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid import cli, plugins
from pellucid.catalogue import entries, find
from pellucid.catalogue.ask import Ask
from pellucid.cli import doctor
from pellucid.errors import BadNetwork, BadPlugin, PellucidError, UnknownName
from pellucid.images.sources import Source
from pellucid.target import Target
from tests import test_every_method as universal
from tests.plugged import as_before

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDERS = [str(HERE / "plugin" / name) for name in ("mirrors", "lost")]
LOST = "of the package pellucid-lost cannot be used: ModuleNotFoundError: No module named 'no_such_package_anywhere'"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both packages are there, as if they were installed."""
    with monkeypatch.context() as patched:
        for folder in FOLDERS:
            patched.syspath_prepend(folder)
        with as_before():
            yield
    importlib.invalidate_caches()


@pytest.fixture(scope="module")
def ramps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ramps") / "x.ramps"
    path.write_text("upright level upright level\n", encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_listing_imports_nothing_of_them() -> None:
    """In a process of its own, for here they may be imported: help, and its time without torch."""
    code = (
        "import sys\nfrom pellucid import cli\n"
        "assert cli.main(['--help']) == cli.main(['mirrors']) == 0\n"
        "assert not {'torch', 'numpy', 'pellucid_mirrors', 'pellucid_lost'} & set(sys.modules)\n"
    )
    path = os.pathsep.join([*FOLDERS, str(ROOT / "src")])
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    ).stdout
    assert "  mirrors " in shown
    assert "  mirrored  Mirrored" not in shown
    assert "  mirrored  change of the score when the image is mirrored" in shown.lower()


def test_the_method_is_in_the_catalogue_in_help_and_completion(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = find("mirrored")
    assert (entry.title, entry.chapter, entry.package) == ("Mirrored", "mirrors", "pellucid-mirrors")
    assert find("mirrors.mirrored") is entry
    code, out, _ = run(capsys, "mirrored", "--help")
    assert code == 0
    assert "--times" in out
    assert "spread(LAYER)" in " ".join(out.split())
    assert "stripes:COLUMNS or stripes:ROWS" in " ".join(out.split())
    assert "mirrors\tmirrored\tMirrored" in run(capsys, "methods")[1]
    monkeypatch.setenv("_PELLUCID_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "pellucid mirr")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert "plain,mirrored" in run(capsys)[1].splitlines()


def test_the_method_is_a_question_in_json_and_a_page() -> None:
    ask = Ask("mirrored", {"net": "stripes:ROWS", "images": "sample:panda", "target": "level"}, {"times": 2})
    assert Ask.from_json(json.loads(json.dumps(ask.to_json()))) == ask
    assert find("mirrored").options.model_json_schema()["properties"]["times"]["minimum"] == 1
    made = runpy.run_path(str(ROOT / "docs" / "make.py"))
    page = made["page"]("mirrors")
    assert "## Mirrored { #mirrored }" in page
    assert "| `times` | `1` | factor of the change | 1 or more |" in page
    assert "#lost" not in page
    assert "| `spread(blocks.4)` | the standard deviation of all activations of a layer |" in made["targets"]()


def checks() -> list[Any]:
    """The universal tests, each with the values that it is parametrized by; one looks at the files of this project."""
    found = []
    for name, check in vars(universal).items():
        needs = inspect.signature(check).parameters if name.startswith("test_") else ()
        if "entry" in needs and name != "test_is_listed_everywhere":
            marks = [mark.args for mark in check.pytestmark if mark.name == "parametrize" and mark.args[0] != "entry"]
            for values in itertools.product(*(values for _, values in marks)):
                given = dict(zip((names for names, _ in marks), values, strict=True))
                found.append(pytest.param(check, given, id="-".join([name, *map(str, values)])))
    return found


@pytest.mark.parametrize(("check", "given"), checks())
def test_what_holds_for_every_method_holds_for_it(
    check: Callable[..., None], given: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    fixtures = inspect.signature(check).parameters.keys() - given.keys() - {"entry"}
    check(entry=find("mirrored"), **given, **{name: request.getfixturevalue(name) for name in fixtures})


def test_its_network_target_result_and_drawing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("mirrored", "sample:panda", "--net", "stripes:ROWS", "-t", "spread(0)", "--quiet")
    code, out, err = run(capsys, *words, "-o", str(tmp_path / "x.npz"), "-o", str(tmp_path / "x.png"))
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(tmp_path / "x.npz"), str(tmp_path / "x.png")]
    again: Any = pl.open(tmp_path / "x.npz")
    assert (type(again).__name__, again.meta.target, again.meta.net) == ("Flips", "spread(0)", "stripes:ROWS")
    net = pl.load("stripes:ROWS")
    seen = net.prepare(pl.read("sample:panda")).pixels
    spread = [net.run(one, layers=["0"])["0"].flatten(1).std(1) for one in (seen, seen.flip(3), seen.flip(2))]
    assert np.allclose(again.values, torch.stack([spread[1] - spread[0], spread[2] - spread[0]], 1).numpy())
    assert str(Target.of("2 × spread(0)")) == "2 × spread(0)"
    assert pl.draw(again).array.shape[0] > 50
    code, out, _ = run(capsys, "show", str(tmp_path / "x.npz"), "-o", str(tmp_path / "y.png"), "--json")
    assert (code, (tmp_path / "y.png").is_file()) == (0, True)
    assert json.loads(out)["results"][0]["unit"] == "activation"
    with pytest.raises(UnknownName, match=r"no stripes network 'COLUMN'; nearest of 2: COLUMNS"):
        pl.load("stripes:COLUMN")
    with pytest.raises(BadNetwork, match="the package pellucid-mirrors failed: ZeroDivisionError: a fault"):
        pl.load("stripes:CRASH")
    with pytest.raises(PellucidError, match=r"no target 'spread\(\)': write spread\(LAYER\)"):
        Target.of("spread()")


def test_its_images(ramps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = Source.of(ramps)
    assert (str(source), len(source), source.classes) == (f"ramps:{ramps}", 4, ("level", "upright"))
    store = str(tmp_path / "x.index")
    code, _, _ = run(capsys, "index", str(ramps), "--net", "stripes:ROWS", "--store", store, "--count", "2", "--quiet")
    assert code == 0
    index = pl.units.Index.of(store)
    with pytest.raises(PellucidError, match="not run or opened on its word"):  # an index may be anybody's
        pl.units.top_images(index, "1:0", count=2)
    best = pl.units.top_images(index.with_images(str(ramps)).with_net(pl.load("stripes:ROWS")), "1:0", count=2)
    assert all("upright" in name for name in best.names)
    assert "x.ramps" in run(capsys, "index", "--help")[1]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("lost", "--help"), "the method 'lost'"),
        (("predict", "sample:panda", "--net", "lostnets:x"), "the source of networks 'lostnets'"),
        (("gradient", "sample:panda", "-t", "lost(blocks.4)"), "the target 'lost'"),
        (("index", "x.lost", "--store", "y"), "the source of images 'lostfiles'"),
    ],
)
def test_what_fails_to_import_is_named_by_the_command_that_needs_it(
    words: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *words)
    assert (code, err) == (5, f"error: {what} {LOST}\n")


def test_what_fails_to_import_harms_nothing_else() -> None:
    assert {"lost", "grad_cam"} <= {entry.name for entry in entries()}
    with pytest.raises(BadPlugin, match="'gone' of the package pellucid-lost cannot be used: "):
        find("gone")
    assert str(Target.of("energy(blocks.4)")) == "energy(blocks.4)"
    assert str(Target.of("tiger cat")) == "tiger cat"
    for registry in plugins.REGISTRIES:
        assert {one.package for one in registry.failures()} == {"pellucid-lost"}
        assert all("\n" not in str(one) for one in registry.failures())


def test_a_statistic_of_an_index_is_found_where_a_plan_names_it(tmp_path: Path) -> None:
    net, found = universal.tiny(), plugins.FOLDS.get("share_above")
    pixels = (np.random.default_rng(2).random((6, 32, 32, 3)) * 255).astype(np.uint8)
    np.savez(tmp_path / "photos.npz", images=pixels)
    pl.units.index(net, tmp_path / "photos.npz", store=tmp_path / "x.index", folds=[found(threshold=0.1)])
    index = pl.units.Index.of(tmp_path / "x.index")
    assert found(threshold=0.1) in index.plan.folds
    share = index.read_fold(found)
    assert ((share >= 0) & (share <= 1)).all()
    assert share.max() > 0
    with pytest.raises(BadPlugin, match=f"the statistic 'lost' {LOST}"):
        plugins.FOLDS.get("lost")


def test_doctor_says_what_packages_add_and_what_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_extras", dict)  # importing them takes long, and is not what this is about
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    said = {key: value for title, key, value in rows if title == "plug-ins"}
    assert said["pellucid-mirrors"] == (
        "adds method mirrored, source of networks stripes, source of images ramps, target spread, "
        "kind of result Flips, drawing Flips, statistic share_above"
    )
    nets, images = "source of networks lostnets", "source of images lostfiles"
    for what in (
        "method lost",
        nets,
        images,
        "target lost",
        "kind of result Nothing",
        "drawing Nothing",
        "statistic lost",
    ):
        assert said[f"pellucid-lost ({what})"].endswith("No module named 'no_such_package_anywhere'")
    assert "nearest of 7: pellucid.methods" in said["pellucid-lost"]
