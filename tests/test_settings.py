"""pellucid.toml: read by commands and by `load`, overridden by what is said, and never a way to run strangers' code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid import cli, settings
from pellucid.errors import PellucidError, UnknownName
from tests.test_cli import NETS

Run = Callable[..., tuple[int, str, str]]
HERE = 'network = "nets.py:plain"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, on a machine on which nothing has been agreed to."""
    home = tmp_path / "work"
    home.mkdir()
    rng = np.random.default_rng(0)
    for name in ("dog.png", "cat.png"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(home / name)
    (home / "nets.py").write_text(NETS + "\nimport pathlib\npathlib.Path('was_run').touch()\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """run("predict", "dog.png") -> exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def say(text: str, *, trusted: bool = True) -> None:
    Path("pellucid.toml").write_text(text)
    if trusted:
        settings.trust("pellucid.toml")


# what a file says


def test_commands_are_short(run: Run) -> None:
    say(HERE + 'mean = [0.1, 0.2, 0.3]\nstd = 0.5\nsize = [24, 32]\nlabels = ["a", "b", "c", "d"]\n')
    long = ("--net", "nets.py:plain", "--mean", "0.1,0.2,0.3", "--std", "0.5", "--input-size", "24x32")
    Path("names.txt").write_text("a\nb\nc\nd\n")
    code, short, err = run("predict", "dog.png")
    assert (code, "note: pellucid.toml says: network, mean, std, size, labels" in err) == (0, True)
    Path("pellucid.toml").rename("other.toml")
    assert run("predict", "dog.png", *long, "--labels", "names.txt", "-q") == (0, short, "")
    assert run("predict", "dog.png", "--net", "nets.py:plain", "-q")[1] != short


def test_flags_come_first_then_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    say(HERE + "size = 24\n")
    assert json.loads(run("layers", "--json", "-q")[1])["size"] == [24, 24]
    assert json.loads(run("layers", "--input-size", "16", "--json", "-q")[1])["size"] == [16, 16]
    assert json.loads(run("layers", "--net", "nets.py:plain", "--json", "-q")[1])["size"] == [24, 24]
    other = json.loads(run("layers", "--net", "nets.py:second", "--json", "-q")[1])
    assert other["size"] == [32, 32], "what is said of one network is not believed of another"
    monkeypatch.setenv("PELLUCID_NET", "nets.py:second")
    assert json.loads(run("layers", "--json", "-q")[1])["size"] == [32, 32]


def test_data_are_those_of_the_file(run: Run) -> None:
    np.savez("data.npz", images=np.zeros((8, 32, 32, 3), np.uint8), labels=np.arange(8) % 4)
    say(HERE + 'data = "data.npz"\n')
    assert run("gradient-flow", "--out", "a.npz", "-q")[:2] == (0, "a.npz\n")
    assert run("gradient-flow", "nets.py:plain", "data.npz", "--out", "b.npz", "-q")[0] == 0
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    Path("pellucid.toml").unlink()
    code, _, err = run("gradient-flow", "-q")
    assert (code, "needs" in err) == (2, True)


def test_load_reads_it_when_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files lie beside it, wherever a program works; what the call says comes first."""
    say(HERE + 'mean = 0.25\nstd = 0.5\nlabels = "names.txt"\n')
    Path("names.txt").write_text("a\nb\nc\nd\n")
    monkeypatch.chdir(folder.parent)
    for place in ("work/pellucid.toml", "work", folder):
        net = pl.load(place)
        assert (net.preprocess.mean, net.preprocess.std, net.class_name(1)) == ((0.25,), (0.5,), "b")
    assert pl.load("work", mean=0.5).preprocess.mean == (0.5,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("netwrok = 'bundled'", "no key of 'pellucid.toml' 'netwrok'; nearest of 13: network"),
        ("mean = 'gray'", "mean in 'pellucid.toml' is 'gray': mean of each channel"),
        ("value_range = [0]", "value_range in 'pellucid.toml' is [0]: lowest and highest"),
        ("scores = 'points'", "scores in 'pellucid.toml' is 'points': meaning"),
        ("network = 3", "network in 'pellucid.toml' is 3: a text"),
        ("mean = ", "'pellucid.toml' cannot be read: "),
        ("[network]\nname = 'x'", "network in 'pellucid.toml' is {'name': 'x'}"),
    ],
)
def test_a_file_that_is_wrong_is_answered_in_one_line(text: str, said: str, run: Run) -> None:
    say(text)
    for words in (("predict", "dog.png"), ("layers",), ("gradient", "dog.png")):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
    with pytest.raises(PellucidError, match=r"pellucid\.toml"):
        pl.load("pellucid.toml")
    assert run("predict", "--help")[0] == 0


# what it may not do


def test_code_that_a_file_names_is_not_run_unless_somebody_agreed(run: Run) -> None:
    say(HERE, trusted=False)
    for words in (("predict", "dog.png"), ("layers",), ("gradient", "dog.png")):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "names code that would be run, 'nets.py:plain'" in err
    with pytest.raises(PellucidError, match="pellucid init --trust"):
        pl.load("pellucid.toml")
    assert not Path("was_run").exists()
    assert run("init", "--trust")[:2] == (0, "pellucid.toml\n")
    assert not Path("was_run").exists()
    assert run("layers", "-q")[0] == 0
    assert Path("was_run").exists()
    Path("pellucid.toml").write_text(HERE + "mean = 0.5\n")
    assert run("layers", "-q")[0] == 2, "another file than that which was agreed to"


def test_what_was_agreed_to_in_one_folder_is_not_in_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(HERE)
    assert settings.read("pellucid.toml").trusted
    other = folder.parent / "other"
    other.mkdir()
    (other / "pellucid.toml").write_text(HERE)
    monkeypatch.chdir(other)
    assert not settings.read("pellucid.toml").trusted


@pytest.mark.parametrize("spec", ["model.py:net", "package.module:net", "timm:hf-hub:a/b", "https://x.org/a:b", "a b"])
def test_more_than_a_name_is_code(spec: str) -> None:
    assert settings.names_code(spec)


@pytest.mark.parametrize("spec", ["bundled", "timm:resnet50.a1_in1k", "torchvision:resnet18", None])
def test_names_of_packages_of_networks_are_none(spec: str | None) -> None:
    assert not settings.names_code(spec)


# init


def test_init_writes_what_was_said_after_trying_it(run: Run) -> None:
    words = ("init", "--net", "nets.py:plain", "--mean", "0.1,0.2,0.3", "--std", "0.5", "--input-size", "16x24")
    code, out, _ = run(*words, "--try", "dog.png", "--data", "photos", "-q")
    assert code == 0
    assert [line.split("\t")[:2] for line in out.splitlines()] == [["dog.png", f"{i}"] for i in (1, 2, 3)] + [
        ["pellucid.toml"]
    ]
    found = settings.read("pellucid.toml")
    assert (found.network, found.data, found.trusted) == ("nets.py:plain", "photos", True)
    assert found.options == {"size": (16, 24), "mean": [0.1, 0.2, 0.3], "std": 0.5}
    assert run("layers", "-q")[0] == 0


def test_init_writes_over_nothing_in_silence(run: Run) -> None:
    say("size = 32\n")
    words = ("init", "--net", "nets.py:plain", "--try", "dog.png", "-q")
    code, _, err = run(*words)
    assert (code, "--replace writes it anew" in err) == (2, True)
    assert Path("pellucid.toml").read_text() == "size = 32\n"
    code, out, _ = run(*words, "--replace", "--json")
    assert (code, json.loads(out)["settings"]) == (0, {"network": "nets.py:plain"})
    assert Path("pellucid.toml").read_text() == HERE


def test_init_writes_nothing_that_does_not_work(run: Run) -> None:
    for words in (("--net", "nets.py:nothing"), ("--net", "nets.py:plain", "--try", "no.png"),
                  ("--net", "nets.py:plain", "--mean", "120", "--try", "dog.png")):  # fmt: skip
        assert run("init", *words)[0] in (2, 3)
        assert not Path("pellucid.toml").exists()


def test_init_asks_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = iter(["nets.py:plain", "", "", "24", "", "0.5", "0.25", "", "y"])

    def answer(prompt: str = "", *_: object, **__: object) -> str:
        asked.append(prompt)
        return next(answers)

    monkeypatch.setattr("click.termui.visible_prompt_func", answer)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    code, out, _ = run("init", "--try", "dog.png", "-q")
    assert (code, out.splitlines()[-1]) == (0, "pellucid.toml")
    assert len(asked) == 9
    assert Path("pellucid.toml").read_text() == HERE + "size = 24\nmean = 0.5\nstd = 0.25\n"


class Terminal:
    def isatty(self) -> bool:
        return True


def test_no_file_is_written_when_the_answer_is_no(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["nets.py:plain", *[""] * 7, "n"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda *_, **__: next(answers))
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    code, _, err = run("init", "--try", "dog.png", "-q")
    assert (code, "nothing is written to pellucid.toml" in err) == (2, True)
    assert not Path("pellucid.toml").exists()


def test_a_folder_without_a_file_names_the_way() -> None:
    with pytest.raises(UnknownName, match="'pellucid init' writes it"):
        settings.read("pellucid.toml")
