"""Many images on the command line: folders, patterns, stdin; answers as they come; files that are never lost."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid import cli, images
from pellucid.cli.inputs import inputs
from tests.test_cli import NET, NETS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in: a network, a photo, and a folder with three photos and one that is broken."""
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "photos" / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("dog.png", "photos/a.png", "photos/c.png", "photos/more/a.png"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
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


def given(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


BELOW = ("photos/a.png", "photos/b.png", "photos/c.png", "photos/more/a.png")


# which images


def test_images_that_need_no_file_stand_for_themselves(run: Run) -> None:
    assert inputs(["scene:7", "sample:panda"]).names == ("scene:7", "sample:panda")
    code, out, _ = run("predict", "scene:7", *NET, "--top", "1", "--quiet")
    assert (code, out.split("\t")[0]) == (0, "scene:7")


def test_folders_patterns_and_names_in_the_order_in_which_they_are_written(folder: Path) -> None:
    (folder / "photos" / "read.me").touch()
    (folder / "photos" / ".hidden.png").touch()
    (folder / "odd[1].png").touch()
    assert inputs(["dog.png", "photos"]).names == ("dog.png", *BELOW)
    assert inputs(["photos/"]).notes == ("a hidden image is left out: .hidden.png",)
    assert inputs(["photos/*.png"]).names == BELOW[:3]
    assert inputs(["photos/**/a.png"]).names == ("photos/a.png", "photos/more/a.png")
    assert inputs(["odd[1].png", "sample:panda", "https://example.org/*.png", "nothing.png"]).names == (
        "odd[1].png", "sample:panda", "https://example.org/*.png", "nothing.png",
    )  # fmt: skip
    many = [inputs(words).many for words in (["dog.png"], ["sample:panda"], ["photos"], ["d*.png"], ["a", "b"])]
    assert many == [False, False, True, True, True]


def test_a_set_of_images_is_no_list_of_names(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`photos` is one word to a method over a set: its letters, one of them a folder, are never looked for."""
    monkeypatch.setattr(cli.session, "inputs", lambda words: pytest.fail(f"looked for {words}"))
    code, out, err = run("quality", "sufficiency", "./photos", "--methods", "gradient", *NET, "--quiet", "--json")
    assert (code, json.loads(out)["command"]) == (0, "sufficiency"), err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"dog.png\nphotos/a.png\n", ("dog.png", "photos/a.png")),
        (b"two\nlines.png\0dog.png\0", ("two\nlines.png", "dog.png")),
        (b"dog.png\r\n\nphotos\n", ("dog.png", *BELOW)),
        (b"odd*.png\nd\xff.png", ("odd*.png", os.fsdecode(b"d\xff.png"))),
    ],
)
def test_names_on_stdin(text: bytes, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, text)
    found = inputs(["-"])
    assert (found.names, found.many) == (names, True)


def test_where_there_is_none(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "empty").mkdir()
    given(monkeypatch, b"\n")
    for word, said in (
        ("x*.png", "no file fits 'x*.png'"),
        ("empty", "no images in the folder 'empty'"),
        ("-", "none"),
    ):
        code, out, err = run("predict", word, *NET)
        assert (code in (2, 3), out, err.count("\n"), said in err) == (True, "", 1, True)


# answers as they come


def test_a_line_of_json_for_each_image_and_for_each_failure(run: Run) -> None:
    """A line is the document that the image alone would give, on one line; the exit code says that one failed."""
    code, out, err = run("predict", "photos", *NET, "--json", "--top", "1", "-q")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 4
    assert [line["image"] for line in lines] == list(BELOW)
    assert [line["command"] for line in lines] == ["predict"] * 4
    assert (lines[1]["exit_code"], "results" in lines[1]) == (3, False)
    assert lines[1]["error"] in err
    alone = json.loads(run("predict", "photos/a.png", *NET, "--json", "--top", "1", "-q")[1])
    assert {key: lines[0][key] for key in ("schema", "results", "scores", "net")} == {
        key: alone[key] for key in ("schema", "results", "scores", "net")
    }
    assert run("predict", "photos/b.png", "photos/b.png", *NET, "--json", "-q")[0] == 3


@pytest.mark.parametrize("words", [("explain", "--methods", "gradient", "--classes", "1"), ("gradient",)])
def test_lines_of_maps_name_their_files(words: tuple[str, ...], run: Run) -> None:
    code, out, _ = run(*words, "photos", *NET, "--json", "-q", "--format", "npz", "--out", "made/deep/")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, len(lines)) == (4, 4)
    saved = [path for line in lines if "results" in line for one in line["results"] for path in one["saved"]]
    assert saved == [f"made/deep/{stem}.{words[0]}.npz" for stem in ("a", "c", "a-2")]
    assert sorted(path.name for path in Path("made/deep").iterdir()) == sorted(Path(one).name for one in saved)


def test_an_answer_is_told_before_the_next_image_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    read, echo = images.read, click.echo
    monkeypatch.setattr(images, "read", lambda name, **how: (happened.append(f"read {name}"), read(name, **how))[1])
    monkeypatch.setattr(click, "echo", lambda *said, **how: (happened.append("told"), echo(*said, **how))[1])
    assert run("gradient", "photos/a.png", "photos/c.png", *NET, "--json", "-q", "--format", "none")[0] == 0
    assert happened == ["read photos/a.png", "told", "read photos/c.png", "told"]
    assert not list(Path().glob("*gradient*"))


def test_what_is_wrong_with_all_images_ends_the_command(run: Run) -> None:
    code, out, err = run("grad_cam", "photos", *NET, "--layer", "layer9", "--json", "-q")
    (line,) = map(json.loads, out.splitlines())
    assert (code, err.count("\n")) == (2, 1)
    assert (line["exit_code"], line["command"]) == (2, "grad_cam")
    assert line["error"] == err.removeprefix("error: ").strip()


def test_a_failure_is_json_too(run: Run) -> None:
    for words, wrong in ((("predict", "photos/b.png", *NET), 3), (("predict", "dog.png", "--topp", "3"), 2)):
        code, out, err = run(*words, "--json")
        said = json.loads(out)
        assert (code, said["exit_code"], said["error"] in err) == (wrong, wrong, True)
        assert said.keys() == {"schema", "pellucid", "command", "error", "exit_code"}


def test_one_answer_about_all_images_is_one_document(run: Run) -> None:
    code, out, _ = run("profile", "photos", *NET, "--json", "-q")
    document = json.loads(out)
    assert (code, len(document["results"])) == (4, 1)
    assert document["results"][0]["meta"]["images"] == ["a.png", "c.png", "a.png"]
    (failed,) = document["failed"]
    assert (failed["image"], failed["exit_code"]) == ("photos/b.png", 3)


# files


@pytest.mark.slow
def test_a_name_that_nobody_chose_is_never_that_of_a_file(run: Run) -> None:
    words = ("gradient", "dog.png", *NET, "-q")
    assert [run(*words)[1] for _ in range(3)] == [f"dog.gradient{n}.png\n" for n in ("", "-2", "-3")]
    assert run(*words, "--format", "npz,png")[1].split() == ["dog.gradient-4.npz", "dog.gradient-4.png"]
    assert run(*words, "--format", "npz,png")[1].split() == ["dog.gradient-5.npz", "dog.gradient-5.png"]


@pytest.mark.slow
def test_a_name_that_somebody_chose_is_replaced_and_said(run: Run) -> None:
    words = ("gradient", *NET)
    assert "is replaced" not in run(*words, "dog.png", "-o", "x.png")[2]
    assert "note: x.png is there already, and is replaced" in run(*words, "dog.png", "-o", "x.png")[2]
    assert run(*words, "photos/a.png", "photos/c.png", "-o", "made")[1].split() == [
        "made/a.gradient.png", "made/c.gradient.png",
    ]  # fmt: skip
    said = run(*words, "photos/a.png", "photos/c.png", "-o", "made")[2]
    assert "note: 2 files are there already, and are replaced: made/a.gradient.png, …" in said


def test_an_image_is_never_written_over(run: Run) -> None:
    before = Path("dog.png").read_bytes()
    Path("link.png").symlink_to("dog.png")
    for out in ("dog.png", "./photos/../dog.png", "link.png"):
        code, _, err = run("gradient", "dog.png", *NET, "-o", out)
        assert (code, "is what is asked about" in err) == (2, True)
    assert Path("dog.png").read_bytes() == before
    with Image.open("dog.png") as picture:
        picture.save("dog.gif")
    before = Path("dog.gif").read_bytes()
    code, _, err = run("deepdream", "dog.gif", *NET, "--film", "dog.gif")
    assert (code, "--film 'dog.gif' is what is asked about" in err) == (2, True)
    assert Path("dog.gif").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "x.npz"), "is one file for 2 images: name a folder, such as 'out/', with --format npz"),
        (("-o", "x.gif"), "a picture is .png"),
        (("-o", "nets.py/out/"), "'nets.py' is no folder"),
        (("-o", "x.png", "--format", "npz"), "with --format name a folder"),
        (("--format", "nzp"), "no format of this answer 'nzp'; nearest of 8: npz"),
        (("--format", "html"), "no format of this answer 'html'"),
        (("--format", "none", "-o", "out/"), "'none' saves nothing"),
        (("--format", ","), "kinds of file"),
    ],
)
def test_files_that_cannot_be(words: tuple[str, ...], said: str, run: Run, folder: Path) -> None:
    before = sorted(folder.rglob("*.*"))
    code, out, err = run("gradient", "dog.png", "photos/a.png", *NET, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert [path for path in sorted(folder.rglob("*.*")) if path.suffix != ".pyc"] == before


def test_numbers_as_json_and_csv_are_those_of_the_npz(run: Run) -> None:
    assert run("gradient", "dog.png", *NET, "-t", "dog", "-o", "x/", "--format", "npz,json,csv", "-q")[0] == 0
    with np.load("x/dog.gradient.npz") as saved:
        values = saved["values"]
    (result,) = json.loads(Path("x/dog.gradient.json").read_text())["results"]
    assert (result["kind"], result["meta"]["target"]) == ("Heatmap", "dog")
    np.testing.assert_array_equal(np.asarray(result["arrays"]["values"], values.dtype), values)
    rows: list[dict[str, Any]] = [*csv.DictReader(Path("x/dog.gradient.csv").read_text().splitlines())]
    found = np.zeros_like(values)
    for row in rows:
        if row["array"] == "values":
            found[tuple(int(row[f"axis{i}"]) for i in range(values.ndim))] = float(row["value"])
    np.testing.assert_array_equal(found, values)


def test_a_table_as_csv_has_its_own_columns(run: Run) -> None:
    assert run("profile", "dog.png", *NET, "--format", "csv,npz", "-o", "made", "-q")[0] == 0
    (made,) = Path("made").glob("*.csv")
    rows = [*csv.DictReader(made.read_text().splitlines())]
    table: Any = pl.open(made.with_suffix(".npz"))
    assert list(rows[0]) == list(table.columns)
    assert [row["layer"] for row in rows] == list(table["layer"])
    assert [float(row["mean"]) for row in rows] == pytest.approx(list(table["mean"]))


def test_several_targets_are_one_json_file_and_no_csv(run: Run) -> None:
    words = ("gradient", "dog.png", *NET, "-t", "dog", "-t", "cat", "-q")
    assert run(*words, "-o", "x.json")[0] == 0
    assert [one["meta"]["target"] for one in json.loads(Path("x.json").read_text())["results"]] == ["dog", "cat"]
    code, _, err = run(*words, "-o", "x.csv")
    assert (code, "one target at a time" in err) == (2, True)
