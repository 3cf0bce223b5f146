"""The words: names are the field's, in American spelling, and a description of an option reads alone."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic.fields import FieldInfo

import pellucid as pl
from pellucid import result
from pellucid.catalogue import Entry, entries
from pellucid.catalogue.options import result_of
from pellucid.evaluation.baselines import BASELINES
from pellucid.loading import LoadOptions
from pellucid.net.over import Over
from pellucid.plugins import DRAWINGS, RESULTS
from pellucid.result import Result

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "src").rglob("*.py"))
BRITISH = re.compile(
    r"colour|grey(?![0-9])|neighbour|behaviour|favour|centre|centred|centring|labelled|labelling|modelled|learnt|artefact|"
    r"(?:normal|optim|maxim|minim|standard|stabil|recogn|parametr|quant|organ|final|visual|initial|summar|general|"
    r"serial|regular|penal)is(?:e|ed|es|er|ing|ation|able)"
)
BANNED = {
    "alike", "aside", "beneath", "choosy", "climb", "deaf", "eye", "guess", "guesses", "handed", "hears", "heard",
    "hushed", "knock", "likes", "look", "looks", "most", "others", "pictured", "remembering", "see", "shelf", "spill",
    "stand", "steady", "telling", "touch",
}  # fmt: skip
"""Words of ours that the field does not know, or that have another meaning in it: not as a part of a public name."""
OPTIONS = {
    "by", "fall", "form", "kind", "least", "largest", "most", "pieces", "show", "smallest", "to", "values", "zero",
}  # fmt: skip
"""Names that say nothing of what an option is."""
QUALITY = {"recall", "trust", "continuity", "rank"}
"""What the quality of a map is measured by."""
NO_BEGINNING = re.compile(
    r"(?:of|for|by|at|in|on|with|from|to|where|when|how|if|whether|so|and|or|not|is|are|than|that|which|up|also|as|"
    r"per|default|defaults|optional)\b"
)
UNITS = re.compile(
    r"pixel|1/255|degree|share|number|count|maximum|minimum|weight|exponent|seed|probability|deviation|from 0 to 1|"
    r"0 to 1|relative|width of the kernel|overlap|selectivity|strength|side|scale|steps?\b|error|quantile|percent|"
    r"radian|second"
)


def described() -> list[tuple[str, str, FieldInfo]]:
    return [(e.name, name, field) for e in entries() for name, field in e.options.model_fields.items()]


def identifiers(path: Path) -> set[str]:
    """Names that the file defines: functions, classes, arguments, fields and variables."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found | {path.stem}


def parts(name: str) -> set[str]:
    """The words of a name: `MaxPool_size` -> max, pool, size."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def public_names() -> dict[str, str]:
    """Whatever a caller writes, with where it stands: methods, options, kinds of results with their fields, nouns."""
    found = {entry.name: entry.name for entry in entries()}
    found |= {name: f"option of {method}" for method, name, _ in described()}
    for row in RESULTS.rows():
        kind = RESULTS.get(row.name)
        found[kind.__name__] = "a kind of result"
        found |= {field.name: f"field of {kind.__name__}" for field in dataclasses.fields(kind)}
    for noun in (pl.Net, pl.Nets, pl.Images, pl.Data, pl.History, pl.Ask, pl.units.Index, pl.units.Unit):
        found |= {name: f"of {noun.__name__}" for name in dir(noun) if not name.startswith("_")}
    return found


def test_names_are_spelled_as_libraries_spell_them() -> None:
    wrong = {path: [name for name in identifiers(path) if BRITISH.search(name.lower())] for path in FILES}
    assert {path: sorted(names) for path, names in wrong.items() if names} == {}


def test_prose_is_spelled_in_the_same_way() -> None:
    pages = [*FILES, ROOT / "README.md", *(page for page in (ROOT / "docs").glob("*.md") if page.name != "renamed.md")]
    wrong = []
    for path in pages:
        text = re.sub(r"blue grey|grey (?:fox|whale|wolf)|normalised_shape", "", path.read_text(encoding="utf-8"))
        wrong += [f"{path}: {found[0]}" for found in BRITISH.finditer(text)]
    assert not wrong, "\n".join(wrong)


def test_public_names_are_words_of_the_field() -> None:
    wrong = [f"{name} ({where})" for name, where in public_names().items() if parts(name) & BANNED]
    assert not wrong, "\n".join(sorted(wrong))


def test_options_say_what_they_are() -> None:
    wrong = [f"{method}.{name}" for method, name, _ in described() if name in OPTIONS]
    assert not wrong, wrong


def fault(field: FieldInfo) -> str:
    """What is wrong with the description of an option; "" where nothing is."""
    said = field.description or ""
    if not said:
        return "no description"
    if NO_BEGINNING.match(said) or not re.match(r"[a-zA-Z(]", said):
        return "it begins with neither a noun nor a verb: read alone, it is half a sentence"
    if said.endswith((".", ",", ":", ";")) or re.search(r"\bby default\b|\bdefaults? (?:is|to)\b", said):
        return "a dangling end or a default: Default(…) says what happens without it"
    numeric = {int, float} & {field.annotation, *get_args(field.annotation)}
    if numeric and not UNITS.search(said):
        return "a number without its unit"
    return ""


def test_descriptions_read_alone() -> None:
    wrong = [
        f"{method}.{name}: {fault(field)}: {field.description!r}" for method, name, field in described() if fault(field)
    ]
    assert not wrong, "\n".join(wrong)


def stale(text: str, known: set[str]) -> list[str]:
    """The names in backticks that are none of these."""
    return [name for name in re.findall(r"`([a-z][a-z_0-9]*)`", text) if name not in known]


def choices(annotation: object) -> set[str]:
    """The words that an option may be."""
    found: set[str] = set()
    for part in get_args(annotation):
        found |= {part} if isinstance(part, str) else choices(part)
    return found


def test_every_method_says_how_it_is_read() -> None:
    """What to read in its answer, what not to, what it costs: two sentences at least, on one screen."""
    for entry in entries():
        if not entry.package:
            sentences = entry.shows.count(". ") + entry.shows.endswith(".")
            assert sentences >= 2, entry.name
            assert 30 <= len(entry.shows.split()) <= 90, entry.name
            assert "  " not in entry.shows, entry.name


def test_descriptions_name_what_there_is() -> None:
    """An option, an argument, a method, a part of the result, or a text of the method's own file."""
    wrong = []
    for entry in entries():
        kind = getattr(result, str(result_of(entry.plainly).__name__), Result)
        source = inspect.getsource(sys.modules[entry.plainly.__module__])
        known = {*entry.options.model_fields, *entry.arguments, *dir(kind), *re.findall(r'"(\w+)"', source)}
        known |= (
            {field.name for field in dataclasses.fields(kind)}
            | {one.name for one in entries()}
            | QUALITY
            | set(BASELINES)
        )
        known |= {choice for field in entry.options.model_fields.values() for choice in choices(field.annotation)}
        wrong += [f"{entry.name}: {name}" for name in stale(entry.doc, known)]
    for name in result.__all__:
        kind = getattr(result, name)
        if dataclasses.is_dataclass(kind):
            known = {"meta", *dir(kind), *(field.name for field in dataclasses.fields(kind))}
            wrong += [f"{name}: {one}" for one in stale(kind.__doc__ or "", known)]
    for function in (pl.Net.run, pl.Net.over, pl.Net.cached, pl.load, pl.draw):
        known = {
            *inspect.signature(function).parameters,
            *dir(pl.Net),
            *Over.__annotations__,
            *LoadOptions.__annotations__,
        }
        wrong += [f"{function.__name__}: {one}" for one in stale(function.__doc__ or "", known)]
    assert not wrong, "\n".join(wrong)


def test_a_name_that_is_gone_is_found() -> None:
    assert stale("`most` of `units`, `relu#2` and `x = 1`", {"units"}) == ["most"]


@pytest.mark.parametrize(
    "text", ["", "of the optimization", "at most", "so many of the units", "steps, by default the recipe's", "height."]
)
def test_a_bad_description_is_found(text: str) -> None:
    assert fault(FieldInfo(annotation=int, description=text))


def test_a_number_without_unit_is_found() -> None:
    assert fault(FieldInfo(annotation=int, description="height")) == "a number without its unit"
    assert not fault(FieldInfo(annotation=int, description="height, in pixels"))


@pytest.mark.parametrize("name", ["colour_bar", "Neighbours", "normalise", "recentred", "unlabelled"])
def test_british_spelling_is_found(name: str) -> None:
    assert BRITISH.search(name.lower())


def test_a_word_of_ours_is_found() -> None:
    assert parts("net_see") & BANNED
    assert parts("TouchUp") & BANNED
    assert not parts("seed") & BANNED


def test_every_kind_and_drawing_is_looked_at() -> None:
    assert len(public_names()) > 150
    assert [*DRAWINGS.rows()]
    assert all(isinstance(entry, Entry) for entry in entries())
