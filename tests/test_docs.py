"""The documentation says what is so: commands exist, links lead somewhere, pages come from the catalogue."""

from __future__ import annotations

import inspect
import io
import re
import runpy
import shlex
import tomllib
from contextlib import redirect_stdout
from operator import attrgetter
from pathlib import Path

import click
import pytest
from click.exceptions import Exit

import pellucid as pl
from pellucid.catalogue import entries
from pellucid.cli.everyday import EVERYDAY
from pellucid.errors import PellucidError
from pellucid.target import Target
from tests.lines import PAGES, ROOT, TYPED, blocks, calls, commands, folder, parsed

MARKDOWN = [
    *PAGES,
    *(ROOT / part for part in ("CHANGELOG.md", "src/pellucid/images/samples/CREDITS.md", "benchmarks/RESULTS.md")),
    *(ROOT / "changelog.d").glob("*.md"),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(MARKDOWN), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        made = target.startswith("methods/") and path.parent.name == "docs"  # by the build, from the catalogue
        if "://" not in target and not made:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_snippets_compile(path: Path) -> None:
    for snippet in blocks(path, "python"):
        if not snippet.startswith("--8<--"):
            compile(snippet, str(path), "exec")


@pytest.mark.parametrize("path", TYPED, ids=lambda path: path.name)
def test_calls_take_what_they_are_given(path: Path) -> None:
    """Every function that is there in a block of Python is there, and has the options that are named."""
    for snippet in blocks(path, "python"):
        for name, call in [] if snippet.startswith("--8<--") else calls(snippet):
            function = attrgetter(name)(pl)
            named = {one.arg: None for one in call.keywords if one.arg}
            inspect.signature(function).bind(*[None for _ in call.args], **named)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("path", [path for path in TYPED if [*commands(path)]], ids=lambda path: path.name)
def test_commands_are_understood(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that they ask about, options that are there, values that these take, and targets that can be read."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    for words in commands(path):
        with redirect_stdout(io.StringIO()):  # of --help
            try:
                context = parsed(words)
            except Exit:
                continue
            except (PellucidError, click.ClickException) as error:
                pytest.fail(f"{path.name}: pellucid {shlex.join(words)}: {error}")
        for target in context.params.get("target") or ():
            Target.of(target)


@pytest.mark.parametrize(
    "words", ["grad-cam", "grad-cam a.jpg --layr x", "rise a.jpg --samples no", "units page x.index"]
)
def test_a_command_that_is_wrong_is_found(words: str) -> None:
    with pytest.raises((PellucidError, click.ClickException)):
        parsed(words.split())


def test_ci_runs_the_readme_test_command() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (command,) = re.findall(r"^.*pip install.*pytest.*$", README, re.MULTILINE)
    assert command.replace(" -q ", " ") in ci.replace(" -q ", " ")


def test_pages_come_from_the_catalogue() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make.py"))
    pages = {chapter: make["page"](chapter) for chapter in {entry.chapter for entry in entries()}}
    for entry in entries():
        text = pages[entry.chapter]
        assert f"{{ #{entry.name} }}" in text
        assert entry.source in text
        for option, field in entry.options.model_fields.items():
            assert f"| `{option}` | `{make['default'](field)}` |" in text
            assert "object at 0x" not in make["default"](field)


def test_attribution_is_by_family_and_every_method_is_in_one() -> None:
    """And each section says how its map is read, what it costs and where it comes from, in this order."""
    make = runpy.run_path(str(ROOT / "docs" / "make.py"))
    ours = [entry for entry in entries() if entry.chapter == "attribution" and not entry.package]
    listed = [name for names in make["families"]("attribution").values() for name in names]
    assert sorted(listed) == sorted(entry.name for entry in ours)
    for entry in ours:
        text = make["section"](entry)
        parts = (entry.title, entry.purpose[1:], "*How to read it", "*Source:*", "```python", "```sh")
        places = [text.index(part) for part in parts]
        assert places == sorted(places), entry.name


def test_every_method_is_in_readme() -> None:
    table = set(re.findall(r"`(\w+)`", README.partition("## What is in it today")[2].partition("## How it")[0]))
    assert {entry.name for entry in entries() if not entry.package} <= table


def test_the_table_of_targets_is_what_they_declare() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make.py"))
    text = (ROOT / "docs" / "ten_minutes.md").read_text(encoding="utf-8")
    assert make["filled"](text) == text, "python docs/make.py --pages"
    assert text.count("| `word(17,3)` |") == 1


def test_every_chapter_has_its_page() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for chapter in {entry.chapter for entry in entries()}:
        assert f"methods/{chapter}.md" in nav


def test_the_page_of_the_command_line_has_all_of_it() -> None:
    """Everyday commands, chapters and extras, each by name."""
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    everyday = page.partition("All others belong")[0]
    assert re.findall(r"^\| `(\w+)` \| ", everyday, re.MULTILINE) == [*EVERYDAY]
    listed = page.partition("belong to a chapter: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", listed) == sorted({entry.chapter for entry in entries()})
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    table = set(re.findall(r"^\| `(\w+)` \|", page.partition("## Extras")[2], re.MULTILINE))
    assert table == set(extras) - {"peers", "browser", "typing", "docs"}, "those are for the tests and docs of Pellucid"


def test_the_glossary_is_in_order() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    letters = re.findall(r"^## (\w)$", page, re.MULTILINE)
    assert letters == sorted(letters) == [one.upper() for one in re.findall(r"\]\(#(\w)\)", page)]
    terms = re.findall(r"^## (\w)$|^\*\*(\w[^*\n]*)\*\*: ", page, re.MULTILINE)
    under, words = "", list[str]()
    for letter, term in terms:
        under = letter or under
        assert not term or term[0].upper() == under, term
        words += [term.casefold()] if term else []
    assert words == sorted(words)
    assert len(words) == len(set(words)) >= 40
    assert "glossary.md" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_no_machine_leaks_into_the_project() -> None:
    words = re.compile(r"(/(work|root|home)/[a-z])|(localhost:\d)")
    for path in [*ROOT.glob("*.md"), *(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]:
        assert not words.search(path.read_text(encoding="utf-8")), path


def test_every_photo_in_the_package_is_credited() -> None:
    folder = ROOT / "src" / "pellucid" / "images" / "samples"
    credits = (folder / "CREDITS.md").read_text(encoding="utf-8")
    photos = sorted(folder.glob("*.jpg"))
    assert len(photos) >= 8
    for photo in photos:
        assert photo.stem in credits
