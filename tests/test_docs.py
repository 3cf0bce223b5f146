"""The documentation says what is so: commands exist, links lead somewhere, pages come from the catalogue."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import click
import pytest

from pellucid.catalogue import entries
from pellucid.cli.group import group

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("methods/"):  # methods/ is made from the catalogue by the build
            continue
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_snippets_compile(path: Path) -> None:
    for snippet in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        if not snippet.startswith("--8<--"):
            compile(snippet, str(path), "exec")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_exist(path: Path) -> None:
    context = click.Context(group())
    for snippet in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for name, after in re.findall(r"pellucid ([a-z_-]+)(?: ([a-z][a-z_-]*))?", snippet):
            found = group().get_command(context, name)
            assert found is not None, f"{path.name}: pellucid {name}"
            if isinstance(found, click.Group) and after:
                assert found.get_command(context, after), f"{path.name}: pellucid {name} {after}"


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


def test_the_table_of_targets_is_what_they_declare() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make.py"))
    text = (ROOT / "docs" / "ten_minutes.md").read_text(encoding="utf-8")
    assert make["filled"](text) == text, "python docs/make.py --pages"
    assert text.count("| `word(17,3)` |") == 1


def test_every_chapter_has_its_page() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for chapter in {entry.chapter for entry in entries()}:
        assert f"methods/{chapter}.md" in nav


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
