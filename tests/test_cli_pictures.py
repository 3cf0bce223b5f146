"""Synthetic pictures on the command line: bare files, previews, trust in the answer, and what is said of nonsense."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid import cli
from pellucid.cli import preview
from tests.test_cli import NETS

Run = Callable[..., tuple[int, str, str]]
ASK = ("activation_maximization", "--net", "nets.py:plain", "--steps", "3", "-q")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with a network, and photos in a folder of their own."""
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """run("predict", "dog.png") -> exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_bare_pictures_in_a_folder_beside_the_drawn_one(run: Run, folder: Path) -> None:
    (folder / "out").mkdir()
    code, out, _ = run(*ASK, "-t", "dog", "-t", "b:3", "--bare", "out/", "-o", "drawn.png")
    files = [folder / "out" / f"plain.activation_maximization-{i}.png" for i in range(2)]
    if not files[0].exists():  # named after the network, however that is written
        files = sorted((folder / "out").iterdir())
    assert code == 0
    assert [line for line in out.splitlines() if line == "drawn.png"]
    assert len(files) == 2
    for file in files:
        assert np.asarray(Image.open(file)).shape == (32, 32, 3)
        assert str(file.relative_to(folder)) in out


def test_one_bare_file_holds_what_was_measured(run: Run, folder: Path) -> None:
    code, out, _ = run(*ASK, "-t", "b:3", "--bare", "x.png", "-o", "x.npz", "--json", "--real", "photos")
    (answer,) = json.loads(out)["results"]
    assert code == 0
    with np.load("x.npz") as saved:
        assert np.array_equal(saved["pixels"][0], np.asarray(Image.open("x.png")))
    (trust,) = answer["trust"]
    assert trust["real_images"] == 12
    assert trust["ratio"] is not None
    assert trust["channels"] == 8
    assert answer["pictures"] == ["b:3"]
    assert (answer["meta"]["options"]["real"], answer["meta"]["nouns"]["real"]["count"]) == ("photos", 12)


def test_without_photos_the_answer_says_what_is_unknown(run: Run) -> None:
    code, out, err = run(*ASK[:-1], "-t", "b:3", "--json")
    assert code == 0
    assert "best real image unknown" in err
    (trust,) = json.loads(out)["results"][0]["trust"]
    assert trust["ratio"] is trust["robustness"] is trust["quantile"] is None


def test_photos_that_cannot_be_read_are_named(run: Run, folder: Path) -> None:
    (folder / "photos" / "bad.png").write_bytes(b"no picture")
    code, _, err = run(*ASK[:-1], "-t", "b:3", "--real", "photos/")
    assert code == 0
    assert "1 of 13 real images could not be read" in err
    assert "bad.png" in err


def test_a_preview_is_always_a_whole_picture(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "_PAUSE", 0.0)
    seen: list[tuple[int, ...]] = []
    whole = preview.write_atomically

    def watching(path: Path, write: Callable[..., object]) -> Path:
        done = whole(path, write)
        seen.append(np.asarray(Image.open(path)).shape)
        return done

    monkeypatch.setattr(preview, "write_atomically", watching)
    code, _, _ = run(*ASK, "-t", "b:3", "-t", "b:4", "--preview", "p.png")
    assert code == 0
    assert seen == [(32, 64, 3)] * 3  # both side by side, after each step
    assert sorted(path.name for path in folder.glob("p*")) == ["p.png", "photos"]


def test_previews_wait_between_two_versions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    whole = preview.write_atomically
    monkeypatch.setattr(preview, "write_atomically", lambda p, w: (written.append(time.monotonic()), whole(p, w))[1])
    assert run(*ASK, "-t", "b:3", "--preview", "p.png")[0] == 0
    assert len(written) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-t", "dog", "--real", "nowhere/"), "'nowhere' is no folder of images"),
        (("-t", "dog", "--real", "nets.py"), "'nets.py': none of the 1 real images can be read"),
        (("-t", "dog", "--real", "empty"), "no images in the folder 'empty'"),
        (("-t", "dog", "-t", "layer9:3"), "no layer 'layer9'"),
        (("-t", "dog", "-t", "b:80"), "no unit 80 in layer 'b': it has 8, 0 to 7"),
        (("-t", "dog", "-t", "doge"), "no class 'doge'"),
        (("-t", "b:3@40,2"), "no cell 40,2 in layer 'b'"),
        (("-t", "best guess"), "there is no image yet"),
        (("-t", "dog - guess 2"), "there is no image yet"),
        (("-t", "dog", "--bare", "x.jpg"), "--bare 'x.jpg'"),
        (("-t", "dog", "--bare", "nets.py/x.png"), "cannot write --bare 'nets.py/x.png': 'nets.py' is no folder"),
        (("-t", "dog", "--bare", "nets.py/"), "cannot write --bare 'nets.py/'"),
        (("-t", "dog", "--preview", "nowhere/p.png"), "--preview 'nowhere/p.png'"),
        (("-t", "dog", "--preview", "p.jpg"), "--preview 'p.jpg'"),
        (("-t", "dog", "--count", "0"), "--count '0'"),
        (("-t", "dog", "--recipe", "lucidd"), "no recipe 'lucidd'"),
        ((), "needs -t"),
    ],
)
def test_nonsense_is_answered_in_one_line(run: Run, folder: Path, words: tuple[str, ...], said: str) -> None:
    (folder / "empty").mkdir()

    def there() -> list[Path]:
        return sorted(path for path in folder.iterdir() if path.name != "__pycache__")  # Python's, of nets.py

    before = there()
    code, out, err = run(*ASK, *words)
    assert code in (2, 3)
    assert not out
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert there() == before


def test_what_cannot_be_asked_is_found_before_anything_is_made(run: Run, folder: Path) -> None:
    """Not after the first target's pictures are finished."""
    started = time.process_time()
    code, _, err = run(*ASK, "-t", "dog", "-t", "layer9:3", "--steps", "1000000")
    assert code == 2
    assert "layer9" in err
    assert time.process_time() - started < 20
