"""A question as the lines that ask it again, in Python and on a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic.fields import FieldInfo

from pellucid.catalogue import Entry, find
from pellucid.catalogue.options import result_of
from pellucid.described import Shell
from pellucid.errors import unknown
from pellucid.files import unplaced
from pellucid.net.nets import is_checkpoint
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.session import Session

Loaded: TypeAlias = tuple[str, ...]
"""The text of a network, and the name of a file with other weights of it where there is one."""
_PLACED = {"Heatmap", "Panel", "LabelMap"}
"""Kinds of results that are drawn over the picture that they are about."""


def lines(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The lines for a method with what a page said. Pictures, folders and indexes stand by their names, without the
    place where they lie.
    """
    entry = find(about["method"])
    known = entry.options.model_fields
    options = {name: _named(here, value) for name, value in about.get("options", {}).items()}
    for name in options:
        if name not in known:
            raise unknown(f"option of {entry.name}", name, known)
    nouns = {
        name: _noun(here, kind.format, about["nouns"][name])
        for name, kind in entry.nouns.items()
        if kind.format != "net" and about.get("nouns", {}).get(name) is not None
    }
    said = about.get("nouns", {})
    number = next((said[name] for name, kind in entry.nouns.items() if kind.format == "net" and said.get(name)), "n0")
    first, chosen = here.text("n0"), here.text(str(number))
    net = (first, chosen) if _holds_weights(chosen) else (chosen,)
    yield {"python": _python(entry, nouns, options, net), "shell": _shell(entry, nouns, options, net)}, b""


def _python(entry: Entry, nouns: Mapping[str, Any], options: Mapping[str, Any], net: Loaded) -> str:
    """Positional as long as nothing is left out before; the network and the one picture by a name of their own."""
    rows, given, skipped = ["import pellucid as pl", ""], [], False
    image = next((name for name, kind in entry.nouns.items() if kind.format == "image" and name in nouns), None)
    for name, kind in entry.nouns.items():
        if kind.format == "net":
            rows.append(f"net = pl.load({', weights='.join(map(_literal, net))})")
            value = "net"
        elif kind.format == "nets" and name in nouns:
            rows.append(f"nets = {_networks(nouns[name], net[0])}")
            value = "nets"
        elif name == image:
            rows.append(f"image = pl.read({_literal(nouns[name])})")
            value = "image"
        elif name in nouns:
            value = _literal(nouns[name])
        else:
            skipped = True
            continue
        given.append(f"{name}={value}" if skipped else value)
    given += [f"{name}={_literal(value)}" for name, value in options.items()]
    over = ", over=image" if image and result_of(entry.plainly).__name__ in _PLACED else ""
    rows.append(f"result = pl.{entry.chapter}.{entry.name}({', '.join(given)})")
    rows.append(f"pl.draw(result{over}).save({_literal(f'{entry.name}.png')})")
    return "\n".join(rows)


def _shell(entry: Entry, nouns: Mapping[str, Any], options: Mapping[str, Any], net: Loaded) -> str:
    words = ["pellucid", entry.name.replace("_", "-")]
    for name, kind in entry.nouns.items():
        if name in nouns:
            texts = nouns[name] if isinstance(nouns[name], list) else [nouns[name]]
            words += [word for text in texts for word in ([kind.flags[-1], text] if kind.flags else [text])]
    several = [one for name, kind in entry.nouns.items() if kind.format == "nets" for one in nouns.get(name, ())]
    if any(kind.format == "net" for kind in entry.nouns.values()) and net != ("bundled",):
        words += [word for pair in zip(("--net", "--weights"), net, strict=False) for word in pair]
    elif any(map(_holds_weights, several)):
        words += ["--net", net[0]]
    for name, value in options.items():
        flag = _flag(name, entry.options.model_fields[name])
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        elif value is not None:
            words += [flag, ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    return shlex.join([*words, "--out", f"{entry.name}.png"])


def _networks(texts: list[str], net: str) -> str:
    """Checkpoints with the network whose weights they are."""
    of = f", net={_literal(net)}" if any(map(_holds_weights, texts)) else ""
    return f"pl.Nets.of({_literal(texts)}{of})"


def _holds_weights(text: str) -> bool:
    return is_checkpoint(Path(text))


def _flag(name: str, field: FieldInfo) -> str:
    """As the command line declares it."""
    said = next((one for one in field.metadata if isinstance(one, Shell)), Shell())
    return said.flag or f"--{name.replace('_', '-')}"


def _literal(value: Any) -> str:
    """As Python has it; text in double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _noun(here: Session, format: str, said: Any) -> Any:
    """What stands for a noun on a command line: the name of what an id names, or the text itself."""
    if format == "nets":
        return [here.text(str(one)) for one in (said if isinstance(said, list) else [said])]
    if isinstance(said, list):
        return [_noun(here, format, one) for one in said]
    number = str(said)
    if format in ("image", "images", "data"):
        return f"{Path(here.folders[number]).name}/" if number in here.folders else _picture(here, number)
    return unplaced(str(here.index(number).store.folder)) if format == "index" else number


def _named(here: Session, value: Any) -> Any:
    """An option; a picture, and networks, by their names."""
    if isinstance(value, Mapping) and "nets" in value:
        return [here.text(str(one)) for one in value["nets"]]
    return _picture(here, str(value["image"])) if isinstance(value, Mapping) and "image" in value else value


def _picture(here: Session, number: str) -> str:
    kind, _, name = number.partition("-")
    return f"sample:{name}" if kind == "s" else Path(unplaced(here.image(number).ids[0])).name


ANSWERS: dict[str, Answer] = {"lines": lines}
