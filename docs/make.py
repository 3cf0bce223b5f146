"""Writes the pages and pictures that are made from the catalogue and the examples; mkdocs calls it before a build.

By hand: `python docs/make.py` (all) or `python docs/make.py --pages` (text only).
"""

from __future__ import annotations

import os
import re
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from pellucid.catalogue import Entry, allowed, entries
from pellucid.cli.examples import examples
from pellucid.described import written_default
from pellucid.errors import BadPlugin
from pellucid.plugins import TARGETS

DOCS = Path(__file__).parent
ROOT = DOCS.parent


def page(chapter: str) -> str:
    """The page of a chapter: for each method what it says, where it comes from, its options and its example."""
    parts = [f"# {chapter.capitalize()}\n\n<!-- made by docs/make.py from the catalogue: do not edit -->\n"]
    sheet = DOCS / "pictures" / f"{chapter}.jpg"
    by_name = {entry.name: entry for entry in entries() if entry.chapter == chapter}
    groups = families(chapter)
    if sheet.exists():  # that of a long chapter would bury its table of contents
        shown = "[All of them side by side]" if groups else "![Methods of this chapter]"
        parts.append(f"{shown}(../pictures/{sheet.name})\n")
    if groups:
        listed = {name for names in groups.values() for name in names}
        groups["others"] = [name for name in by_name if name not in listed]
        links = (f"**{said}**: {', '.join(f'[{by_name[one].title}](#{one})' for one in names)}" for said, names in
                 groups.items() if names)  # fmt: skip
        parts.append("\n\n".join(links) + "\n")
    for said, names in (groups or {"": list(by_name)}).items():
        parts += [f"## {said.capitalize()}\n"] if said and names else []
        for name in names:
            try:
                parts.append(section(by_name[name], "###" if said else "##"))
            except BadPlugin as error:
                print(f"left out: {error}", file=sys.stderr)
    return "\n".join(parts)


def families(chapter: str) -> dict[str, list[str]]:
    """The methods of a chapter by family, as the table in README has them; nothing where it names no family."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| {chapter}: ([^|]+) \| (.+) \|$", readme, re.MULTILINE)
    return {said: re.findall(r"`(\w+)`", names) for said, names in rows}


def section(entry: Entry, level: str = "##") -> str:
    """What there is to say of a method; a method of another package has no example and no picture here."""
    example = ROOT / "examples" / chapter_path(entry)
    shown = [] if entry.package else [f"![{entry.title}](../gallery/{entry.name}.png)\n"]
    lines = [
        f"{level} {entry.title} {{ #{entry.name} }}\n",
        *shown,
        f"*{entry.purpose[:1].upper()}{entry.purpose[1:]}.*\n",
        *([f"*How to read it, and what it does not show:* {entry.shows}\n"] if entry.shows else []),
        f"{entry.doc}\n",
        f"*Source:* {entry.source}.\n",
        *([LONG] if entry.resumable else []),
        *options_table(entry),
        *([] if entry.package else [f"```python\n{example.read_text(encoding='utf-8').rstrip()}\n```\n"]),
        "```sh\n{}\n```\n".format("\n".join(examples(entry))),
    ]
    return "\n".join(lines)


LONG = (
    "*Long work* goes on where it was stopped inside `pl.resumable(folder)` or with `--resume FOLDER`; inside "
    "`pl.spread(4)` or with `--workers 4` (`--address HOST:PORT`: of a Ray cluster) others share it: the same bits.\n"
)


def chapter_path(entry: Entry) -> Path:
    return Path(entry.chapter) / f"{entry.name}.py"


def default(field: FieldInfo) -> str:
    """A default as a person would write it: of a value that has a name, its name; in words, where it has them."""
    if field.is_required():
        return "required"
    if words := written_default(field.metadata):
        return words
    plain = field.default is None or isinstance(field.default, (str, int, float, tuple, list))
    return repr(field.default if plain else str(field.default))


def options_table(entry: Entry) -> list[str]:
    fields = entry.options.model_fields
    if not fields:
        return []
    rows = []
    for name, field in fields.items():
        values, meaning = (text.replace("|", "\\|") for text in (allowed(field), field.description or ""))
        rows.append(f"| `{name}` | `{default(field)}` | {meaning} | {values} |")
    return ["| option | default | meaning | values |\n|---|---|---|---|", *rows, ""]


def targets() -> str:
    """The table of all forms in which a target is written."""
    rows = ["| you write | it means |", "|---|---|"]
    for row in TARGETS.rows():
        rows.append(f"| {', '.join(f'`{one}`' for one in row.said['examples'])} | {row.said['help']} |")
    rows.append("| `tiger cat - tabby`, `-out[0]`, `0.5 × p(boxer) + p(pug)` | sums and multiples of all these |")
    return "\n".join(rows)


def filled(text: str) -> str:
    """A page of ours with the tables that are made from what is registered."""
    made, end = "<!-- targets: made by docs/make.py -->\n", "<!-- end -->"
    before, mark, rest = text.partition(made)
    return f"{before}{mark}{targets()}\n{end}{rest.partition(end)[2]}" if mark else text


def write_pages() -> None:
    page_of_targets = DOCS / "ten_minutes.md"
    page_of_targets.write_text(filled(page_of_targets.read_text(encoding="utf-8")), encoding="utf-8")
    for chapter in sorted({entry.chapter for entry in entries()}):
        path = DOCS / "methods" / f"{chapter}.md"
        path.parent.mkdir(exist_ok=True)
        text = page(chapter)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def write_pictures() -> None:
    """Run the examples that have no picture yet, or an older one than their source."""
    gallery = DOCS / "gallery"
    gallery.mkdir(exist_ok=True)
    for example in sorted((ROOT / "examples").rglob("*.py")):
        picture = gallery / f"{example.stem}.png"
        if picture.exists() and picture.stat().st_mtime > example.stat().st_mtime:
            continue
        here = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                runpy.run_path(str(example))
                picture.write_bytes(Path(f"{example.stem}.png").read_bytes())
            finally:
                os.chdir(here)


def on_pre_build(config: Any) -> None:
    """mkdocs' hook."""
    write_pages()
    write_pictures()


if __name__ == "__main__":
    write_pages()
    if "--pages" not in sys.argv:
        write_pictures()
