"""Nouns: what a method asks about is found by its kind, and a new kind needs no list to be in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
import torch
from pydantic import Field

import pellucid as pl
from pellucid import cli
from pellucid.catalogue import Entry, _entries, find, method
from pellucid.catalogue.ask import Ask
from pellucid.catalogue.method import made
from pellucid.catalogue.options import result_of
from pellucid.cli.nouns import parameters, written
from pellucid.data import Data
from pellucid.decisions import Decisions
from pellucid.described import written_default
from pellucid.errors import PellucidError
from pellucid.evaluation.groups import Groups
from pellucid.evaluation.parts import Regions
from pellucid.history import History
from pellucid.images import Images
from pellucid.images.concepts import Concepts
from pellucid.interpretable.annotated import ConceptTable
from pellucid.methods.synthesis import PRESETS, Recipe
from pellucid.methods.units import Index, Indexes, Unit
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.nouns import Noun
from pellucid.registry import Row
from pellucid.result import Table
from pellucid.target import Function, Logit, Similarity, Target, Targets
from tests.plugged import offered
from tests.test_every_method import every, photos, tiny

KINDS = (Net, Nets, Images, Data, History, Target, Targets, Index, Indexes, Unit, Recipe, Concepts)


@dataclass(frozen=True)
class Word(Noun):
    """A kind that only this test knows."""

    text: str
    written = "WORD"
    samples = ("blue",)

    @classmethod
    def of(cls, value: Any) -> Word:
        return value if isinstance(value, Word) else cls(str(value))

    def facts(self) -> dict[str, Any]:
        return {"layer": self.text, "letters": len(self.text)}


@method("Letters", source="Nobody 2026, section 1", over="all")
def letters(
    weights: Net,
    word: Word,
    second: Word,
    goal: Target,
    *,
    times: Annotated[int, Field(ge=1, description="how many times")] = 1,
) -> Table:
    """One row for each letter."""
    made = [*(word.text + second.text)] * times
    return Table({"letter": made, "goal": [str(goal)] * len(made)}, {"letter": "itself", "goal": "asked"})


def test_a_new_kind_is_known_everywhere_by_its_class() -> None:
    entry = Entry("letters", "Letters", "Nobody 2026", "toys", __name__, over="all")
    assert entry.nouns == {"weights": Net, "word": Word, "second": Word, "goal": Target}
    assert (entry.argument(Target, Targets), entry.asks(Images)) == ("goal", False)
    found = letters(tiny(), "ab", second="c", goal="dog", times=2)
    assert found.columns["letter"] == ["a", "b", "c"] * 2
    assert (found.meta.net, found.meta.layer, found.meta.target) == ("tiny", "ab", "dog")
    one, other = letters(tiny(), "ab", "c", ["dog", "cat"])
    assert (one.meta.target, other.meta.target) == ("dog", "cat")
    with pytest.raises(PellucidError, match=r"letters needs second: letters\(weights, word, second, goal\)"):
        letters(tiny(), "ab", goal="dog")
    with pytest.raises(PellucidError, match="letters: the list of goals is empty"):
        letters(tiny(), "ab", "c", [])
    stands = [p.metavar for p in parameters(entry) if isinstance(p, click.Argument)]
    assert stands == ["WORD", "SECOND"]
    assert [p.opts for p in parameters(entry) if isinstance(p, click.Option)] == [["-t", "--target"]]
    given: dict[str, Any] = {"word": "ab", "second": "c", "target": ("dog",), "net": "bundled"}
    assert written(entry, given) == {"word": "ab", "second": "c", "goal": "dog"}
    assert written(entry, given | {"target": ("dog", "cat")})["goal"] == ["dog", "cat"]
    assert written(entry, given | {"target": ()}) == {"word": "ab", "second": "c"}


def test_a_new_kind_is_asked_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with offered(monkeypatch, EntryPoint("letters", f"{__name__}:letters", "pellucid.methods")):
        assert cli.main(("letters", "ab", "c", "--target", "3", "--times", "2", "--quiet")) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split("\t") == ["letter", "goal"]
        assert [line.split("\t") for line in lines[1:]] == [[one, "3"] for one in "abcabc"]
        ask = Ask("letters", {"word": "ab", "second": "c", "goal": "dog"})
        assert Ask.from_json(json.loads(json.dumps(ask.to_json()))) == ask
        assert len(ask.answer(tiny())) == 3
        other = Ask("letters", {"word": "ab", "second": "d", "goal": "dog"})
        assert ask.key(tiny()) == ask.key(tiny(), photos(1)) != other.key(tiny())


def test_an_argument_that_is_no_noun_is_refused_by_name() -> None:
    @method("Wrong", source="Nobody 2026, section 1")
    def wrong(net: Net, size: int) -> Table:
        """One row for each."""
        return Table({}, {})

    with pytest.raises(PellucidError, match="wrong: the argument size is no noun: options stand after"):
        wrong(tiny(), 3)


def test_what_a_method_does_not_declare_is_named() -> None:
    @method("Bare", source="Nobody 2026, section 1")
    def bare(net, *, size=1):  # type: ignore[no-untyped-def]
        """Nothing."""

    with pytest.raises(PellucidError, match="bare: the argument net has no annotation"):
        bare(tiny())
    with pytest.raises(PellucidError, match="bare does not say what it gives: annotate it"):
        result_of(bare)
    row = Row("x", "pellucid.methods.units.x:x", "X", {})
    with pytest.raises(PellucidError, match=r"methods.units.x declares x without a source: @method\('X', source"):
        _entries((row,))
    (plugged,) = _entries((Row("x", "other.x:x", "X", {}, "other"),))  # of others' it is their own loss
    assert plugged.source == ""


def test_what_a_noun_is_where_nothing_else_is_said() -> None:
    plain = Noun()
    assert (plain.facts(), plain.notes, plain.remarks({}), plain.spelled("x")) == ({}, (), (), "x")
    assert (plain.halve(), plain.network, plain.cached()) == (False, None, plain)
    with pytest.raises(PellucidError, match="no Noun 'x'"):
        Noun.of("x")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_says_how_it_is_written(kind: type[Noun]) -> None:
    assert kind.written.isupper()
    assert kind.format.islower()
    assert not (kind.many and kind.apart)


@pytest.mark.usefixtures("read_here")
def test_data_and_checkpoints_are_made_with_the_network_at_hand(tmp_path: Path) -> None:
    def between(net: Net, nets: Nets, data: Data, history: History) -> Table:
        """What a chapter to come will ask about."""
        raise NotImplementedError

    net = tiny()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.jsonl").write_text('{"step": 1, "loss": 2}')
    torch.save(net.module.state_dict(), tmp_path / "run" / "step1.pth")
    given = {
        "net": net,
        "nets": str(tmp_path / "run"),
        "data": (photos(2), ["cow", "dog"]),
        "history": tmp_path / "run",
    }
    found = made(between, given)
    assert found["nets"].network is net
    assert found["nets"][0].weights == net.weights
    assert found["data"].labels.tolist() == [2, 1]
    assert found["history"]["loss"].values.tolist() == [2.0]
    assert len({noun.identity for noun in found.values()}) == 4
    json.dumps([noun.facts() for noun in found.values()])
    assert made(between, given | {"net": replace(net, labels=None), "data": (photos(2), [0, 2])})["data"].labels[1] == 2
    with pytest.raises(PellucidError, match=r"no class of tiny 'horse'.*'photo 1' of arrays"):
        made(between, given | {"data": (photos(2), ["cow", "horse"])})


def test_identities_differ_where_answers_can() -> None:
    net, pictures = tiny(), photos(2)
    nets = [
        net,
        replace(net, name="x"),
        replace(net, output="0"),
        replace(net, labels=None),
        replace(net, scores="logits"),
    ]
    nets.append(replace(net, preprocess=replace(net.preprocess, mean=(0.5,))))
    assert len({one.identity for one in nets}) == len(nets)
    assert tiny().identity == net.identity
    renamed = replace(pictures[0], ids=("another",))  # noise is drawn by the name
    assert len({pictures.identity, pictures[0].identity, pictures[1].identity, renamed.identity}) == 4
    assert photos(2).identity == pictures.identity
    asked = [Target.of(one) for one in ("dog", "cat", "dog - cat", "block:2", "block:2@1,1", "p(dog)", "guess 2", 1)]
    asked += [Function(lambda run: run.output[:, 0]), Function(lambda run: run.output[:, 0])]
    asked += [Similarity(pictures[0]), Similarity(pictures[1])]
    assert len({one.identity for one in asked}) == len(asked)
    assert Target.of("dog - 2 * cat").identity == Target.of("dog - 2 × cat").identity
    recipes = [PRESETS["lucid"], replace(PRESETS["lucid"], steps=7), PRESETS["maco"]]
    assert len({one.identity for one in recipes}) == 3


def test_what_text_says_is_text_and_what_it_does_not_is_refused() -> None:
    for text in ("dog", "dog - cat", "block:2@1,1", "p(dog)", "guess 2", "out[0,1]", "-0.5 × dog"):
        assert Target.of(Target.of(text).plain()) == Target.of(text)
    assert Targets.of(["dog", 1]).plain() == ["dog", 1]
    assert Unit.of("block:2").plain() == "block:2"
    assert Recipe.of("lucid + jitter(16)").plain() == "lucid + jitter(16)"
    held = (photos(1), Function(lambda run: run.output[:, 0]), replace(PRESETS["lucid"], steps=7), tiny(),
            Similarity(photos(1)), Logit("block:2"))  # fmt: skip
    for noun in held:
        with pytest.raises(PellucidError, match="is in memory only: name it by text"):
            noun.plain()


@every
def test_every_method_has_an_honest_json_schema(entry: Entry) -> None:
    """Plain JSON with every option, its range and its default; the default is a value that the schema allows."""
    schema = json.loads(json.dumps(entry.options.model_json_schema()))
    assert set(schema["properties"]) == set(entry.options.model_fields)
    assert schema.get("required", []) == [n for n, field in entry.options.model_fields.items() if field.is_required()]
    for name, one in schema["properties"].items():
        assert one["description"], f"{entry.name}.{name}"
        assert one.get("x-default") == written_default(entry.options.model_fields[name].metadata)
        if "default" in one:
            assert allows(one, one["default"]), f"{entry.name}.{name}: {one}"
            entry.options.__pydantic_validator__.validate_assignment(
                entry.options.model_construct(**dict.fromkeys(schema["properties"])), name, one["default"]
            )


def allows(schema: dict[str, Any], value: Any) -> bool:
    """Whether a JSON schema of the kind that pydantic makes allows the value."""
    if "anyOf" in schema:
        return any(allows(one, value) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
    if schema["type"] == "array":
        parts = schema.get("prefixItems") or [schema["items"]] * len(value if isinstance(value, list) else [])
        return isinstance(value, list) and all(map(allows, parts, value))
    return isinstance(value, kinds[schema["type"]]) and not (isinstance(value, bool) and schema["type"] != "boolean")


def test_a_picture_is_an_image_in_the_schema_and_a_fill_may_be_one() -> None:
    fill = find("occlusion").options.model_json_schema()["properties"]["fill"]
    assert {"type": "string", "format": "image"} in fill["anyOf"]
    preset = find("diversity").options.model_json_schema()["properties"]["recipe"]
    assert (preset["type"], preset["format"], preset["default"]) == ("string", "recipe", "pellucid")


@every
def test_quick_options_are_options_and_over_says_what_the_answer_is_about(entry: Entry) -> None:
    assert set(entry.quick) <= set(entry.options.model_fields)
    table = ConceptTable.of({"dog": {"stripes": "no"}}) if entry.name == "concept_bottleneck" else None
    given: dict[str, Any] = {"concepts": table or Concepts("x", {}, {}, ()), "end": Target.of("dog")}
    given |= dict.fromkeys(("truth", "boxes"), pl.localization.Truth.of({})) | {"masks": Regions.of("corners")}
    given |= {"groups": Groups.of(["indoors"]), "decisions": Decisions(())}
    needed = {name: given[name] for name, field in entry.options.model_fields.items() if field.is_required()}
    entry.options(**entry.quick, **needed)
    assert (entry.function.over, entry.function.quick) == (entry.over, entry.quick)
    assert entry.over == "all" or entry.asks(Net) or entry.asks(Images), "an answer about an index is one about all"


def test_nouns_are_on_the_ground_floor() -> None:
    code = (
        "import sys, pellucid.nouns, pellucid.catalogue as c; c.entries()\nprint({'torch', 'numpy'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_nobody_dispatches_by_the_name_of_an_argument() -> None:
    """Neither in the source nor in the documentation's maker is an argument of a method looked for by its name."""
    root = Path(__file__).parents[1]
    by_name = re.compile(
        r"""(["'])(net|images|targets?|index(es)?|unit)\1 (not )?in (entry|asks|nouns|argument|unasked|inspect)"""
    )
    by_look = re.compile(r"hasattr\((noun|annotation|value, .facts)")
    for path in [*(root / "src").rglob("*.py"), root / "docs" / "make.py"]:
        text = path.read_text(encoding="utf-8")
        assert not by_name.search(text), path
        assert not by_look.search(text), path
