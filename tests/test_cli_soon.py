"""What the command line answers without torch: refusals, and names for the shell to complete."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from pellucid import cli
from pellucid.catalogue import entries, find
from pellucid.cli import complete, sketch
from pellucid.cli.common import common
from pellucid.cli.group import group
from pellucid.cli.options import flag_of, switched
from pellucid.errors import UnknownName
from pellucid.net import Net
from tests.test_cli import NETS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, on a machine on which no network has been loaded."""
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "dog.png")
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(*words: str) -> list[str]:
    """What may stand for the last word."""
    asked = click.shell_completion.ShellComplete(group(), {}, "pellucid", "_PELLUCID_COMPLETE")
    return [item.value for item in asked.get_completions(list(words[:-1]), words[-1])]


def test_no_option_that_a_method_has_is_refused() -> None:
    """The file says every name that the method itself says."""
    ours = {name for one in common(out=True) for name in (*one.opts, *one.secondary_opts)}
    for entry in entries():
        names = {name for flag in sketch.flags(entry) for name in flag.names} | ours | set(sketch._OFTEN)
        for name, field in entry.options.model_fields.items():
            flag = flag_of(name, field)
            assert flag in names, (entry.name, flag)
            assert field.annotation is not bool or switched(flag, False) in names, (entry.name, flag)
        assert {flag for kind in entry.nouns.values() if not issubclass(kind, Net) for flag in kind.flags} <= names


def test_an_option_that_no_method_has_is_refused_with_the_nearest() -> None:
    for words in (["--stried", "4"], ["dog.png", "--stried=4"]):
        with pytest.raises(UnknownName, match=r"no occlusion option '--stried'; nearest of .*: --stride"):
            sketch.refuse(find("occlusion"), words)
    for words in (["--stride", "4", "--per_pixel", "--no-per-pixel"], ["--", "--stried"], ["--stried", "-h"]):
        sketch.refuse(find("occlusion"), words)


def test_refusals_and_completion_need_no_torch(folder: Path) -> None:
    """A generous limit, for busy machines: on a quiet core each takes 0.2 s, most of it to start Python."""
    code = """if True:
        import sys
        import click
        from pellucid.cli import complete, main
        from pellucid.cli.group import group
        complete._keep("nets.py:plain", {"layers": ["a", "act"], "classes": ["cat", "dog"]})
        codes = [main(words) for words in (
            ["grad-cam", "dog.png", "--layr", "act"], ["attribution", "occlusion", "--stried=3"],
            ["explain", "dog.png", "--metods", "rise"], ["predict", "nothing.png"], ["predict", "x*.png"],
            ["predict", "dog.png", "--topp", "3"], ["layers", "--input-size", "big"])]
        asked = click.shell_completion.ShellComplete(group(), {}, "pellucid", "_PELLUCID_COMPLETE")
        net = ["--net", "nets.py:plain"]
        found = [len(asked.get_completions(words, begun)) for words, begun in (
            (["grad-cam", *net, "--layer"], "a"), (["grad-cam", *net, "-t"], "d"), (["grad-cam"], "sample:pan"),
            (["predict"], "sample:ko"), (["grad-cam", "--net"], "bun"), (["layers", "--net"], "nets"),
            (["occlusion"], "--str"), (["grad-cam", "--against"], "do"), (["grad-cam", "--device"], "c"))]
        heavy = {"torch", "numpy", "matplotlib", "PIL", "scipy"} & set(sys.modules)
        print(codes, found, sorted(heavy), file=sys.stderr)
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = done.stderr.splitlines()[-1]
    assert said == "[2, 2, 2, 2, 3, 2, 2] [2, 1, 1, 1, 1, 1, 1, 1, 2] []"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_layers_and_classes_of_a_network_that_was_loaded() -> None:
    words = ("grad-cam", "--net", "nets.py:plain")
    assert completed(*words, "--layer", "a") == []
    assert cli.main(["layers", "--net", "nets.py:plain", "-q"]) == 0
    assert completed(*words, "--layer", "a") == ["a", "act", "act2"]
    assert completed(*words, "--layer", "a,b") == ["a,b"]
    assert completed(*words, "--target", "TIG") == ["tiger cat"]
    assert completed("grad-cam", "--net", "nets.py:second", "--layer", "a") == []
    Path("pellucid.toml").write_text('network = "nets.py:plain"\n')
    assert completed("grad-cam", "--layer", "h") == ["head"]


def test_samples_networks_and_options() -> None:
    assert completed("grad-cam", "sample:pan") == ["sample:panda"]
    assert completed("grad-cam", "--net", "t") == ["timm:", "torchvision:"]
    assert completed("predict", "--net", "nets") == ["nets.py:"]
    assert completed("occlusion", "--per") == ["--per-pixel"]
    assert completed("occlusion", "--no-per") == ["--no-per-pixel"]
    assert "--weights" in completed("grad-cam", "--we")


def test_names_of_networks_are_known_once_one_was_loaded() -> None:
    assert cli.main(["layers", "--net", "torchvision:squeezenet1_1", "--weights", "random", "-q"]) == 0
    found = completed("grad-cam", "--net", "torchvision:resnet1")
    assert set(found) == {"torchvision:resnet18", "torchvision:resnet101", "torchvision:resnet152"}


def test_nothing_is_kept_where_nothing_can_be_written(folder: Path) -> None:
    (folder / "cache").write_text("a file")
    complete._keep("x", {"layers": ["a"]})
    assert complete._kept("x") == {}
