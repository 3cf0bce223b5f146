"""The names of classes from lists, mappings and files, in the forms that go round with trained networks."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError, unknown
from pellucid.net.labels import Labels

_WNID = re.compile(r"n\d{8}")
_SYNSET = re.compile(r"(n\d{8})[ \t]+(\S.*)")
_NUMBERED = re.compile(r"(\d+)\s*[:,;\s]\s*(\S.*)")
_MOST = 16 * 2**20
"""Bytes of a file of labels: a million classes have names of 16 letters."""
_TABLES = {".csv": (",", ";", "\t"), ".tsv": ("\t",)}
_OTHERS = (".yaml", ".yml", ".pbtxt", ".xml", ".pkl", ".npy", ".mat", ".h5")
_NAMES = ("name", "label", "class", "classname", "labelname", "displayname", "names", "labels", "classes", "category")
_INDEXES = ("index", "id", "idx", "classid", "labelid", "classidx", "classindex", "number", "output", "no", "")
_IDS = ("wnid", "synset", "wordnetid", "synsetid", "mid")
_INSIDE = ("id2label", "label2id", "names", "labels", "classes", "categories", "class_names", "class_to_idx")
"""Keys under which configuration files keep the names."""


def labels_of(value: Any) -> Labels:
    """The names of the classes from a list, a mapping (index to name, or name to index) or a file of either.

    Files are JSON, a Python literal, tables (.csv, .tsv, with or without a header), or lines: a name each, a number
    and a name, or a WordNet id and names. Raises PellucidError in one line.
    """
    if isinstance(value, Labels):
        return value
    told = "labels"
    if isinstance(value, (str, Path)):
        told = f"labels in {str(value)!r}"
        value = _read(Path(value).expanduser(), told)
    if isinstance(value, Mapping):
        value = _in_order(value, told)
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        raise PellucidError(f"{told}: a list of names or a mapping from index to name, no {type(value).__name__}")
    rows = [[row] if isinstance(row, str) else list(row) if isinstance(row, (list, tuple)) else [] for row in value]
    for i, row in enumerate(rows):
        if not row or not all(isinstance(name, str) and name.strip() for name in row):
            raise PellucidError(f"{told}: class {i} has no name ({value[i]!r})")
    if not rows:
        raise PellucidError(f"{told}: the list is empty")
    if all(len(row) > 1 and _WNID.fullmatch(row[0]) for row in rows):
        return Labels(tuple(tuple(row[1:]) for row in rows), tuple(row[0] for row in rows))
    return Labels(tuple(tuple(row) for row in rows))


def _read(path: Path, told: str) -> Any:
    """What a file holds: a list or a mapping."""
    if path.suffix.lower() in _OTHERS:
        raise PellucidError(f"{told}: {path.suffix} is not read: give a name a line, .csv, .tsv or .json")
    text = _text(path).strip("\r\n")
    if (text.strip()[:1] in ("[", "{") and (text.strip()[-1] in "]}" or "\n" not in text)) or path.suffix == ".json":
        return _inner(_literal(text, path, told), told)
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if path.suffix.lower() in _TABLES or _header(re.split(r"[,;\t]", lines[0]) if lines else []):
        return _table(text, _TABLES.get(path.suffix.lower(), (",", ";", "\t")), told)
    if lines and all(match := [_SYNSET.fullmatch(line) for line in lines]):
        return [[one[1], *_several(one[2])] for one in match if one]
    found = [_NUMBERED.fullmatch(line) for line in lines]
    numbered = [(int(one[1]), one[2]) for one in found if one]
    if lines and len(numbered) == len(lines) and _counted([number for number, _ in numbered]):
        return _by_number(numbered, told)
    return lines


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST:
            raise PellucidError(f"labels in {str(path)!r}: {path.stat().st_size:,} bytes are no list of names")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        siblings = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        raise unknown("file", str(path), map(str, siblings)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PellucidError(f"labels cannot be read from {str(path)!r}: {error}") from error
    if "\0" in text:
        raise PellucidError(f"labels cannot be read from {str(path)!r}: that is no text")
    return text


def _literal(text: str, path: Path, told: str) -> Any:
    """JSON, or a literal as Python writes it; nothing is run."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        kind = "are no JSON" if path.suffix == ".json" else "are neither JSON nor a Python literal"
        raise PellucidError(f"labels in {str(path)!r} {kind}: {reason}") from error


def _inner(value: Any, told: str) -> Any:
    """The names inside a configuration; [{'id': 0, 'name': 'cat'}, …] as a mapping."""
    if isinstance(value, Mapping):
        inside = next((key for key in _INSIDE if isinstance(value.get(key), (Mapping, list))), None)
        value = value[inside] if inside is not None else value
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
        if not all(isinstance(one.get("id"), int) for one in value):
            return [one["name"] for one in value]
        return _by_number([(one["id"], one["name"]) for one in value], told)
    return value


def _in_order(table: Mapping[Any, Any], told: str) -> list[Any]:
    """{0: 'cat'}, {'0': 'cat'} or {'cat': 0} as a list."""
    if table and all(isinstance(value, int) for value in table.values()):
        table = {index: name for name, index in table.items()}
    try:
        numbered = {int(key): value for key, value in table.items()}
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{told}: keys must be the numbers of the classes, or values must be") from error
    return _by_number(list(numbered.items()), told)


def _by_number(numbered: Sequence[tuple[int, Any]], told: str) -> list[Any]:
    """(number, name) pairs as a list of names, in order."""
    by_number, last = dict(numbered), len(numbered) - 1
    if sorted(number for number, _ in numbered) == list(range(len(numbered))):
        return [by_number[i] for i in range(len(numbered))]
    if sorted(by_number) == list(range(1, len(numbered) + 1)):
        raise PellucidError(
            f"{told}: the numbers run from 1 to {last + 1}, and outputs are counted from 0: number them from 0, or add "
            "'background' as 0 if the network has an output for it"
        )
    raise PellucidError(f"{told}: the numbers must be 0 to {last}, each once")


def _counted(numbers: Sequence[int]) -> bool:
    """Whether numbers before names count them, rather than belong to names such as '3 people'."""
    return sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1))) and len(numbers) > 1


def _several(names: str) -> list[str]:
    """'tench, Tinca tinca' -> its names."""
    return [name.strip() for name in names.split(", ") if name.strip()]


def _word(cell: str) -> str:
    return re.sub(r"[\s_-]", "", cell).casefold()


def _header(cells: Sequence[str]) -> bool:
    """Whether a line names columns."""
    words = [_word(cell) for cell in cells]
    return len(words) > 1 and all(word in (*_NAMES, *_INDEXES, *_IDS) for word in words) and any(words)


def _table(text: str, delimiters: Sequence[str], told: str) -> list[Any]:
    """The column of names out of a table, in the order of its column of numbers if it has one."""
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = max(delimiters, key=lambda one: lines[0].count(one) if lines else 0)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    if not rows:
        return []
    if len({len(row) for row in rows}) > 1:
        if delimiter == "," and not any(line.count('"') for line in lines):  # one column: 'tench, Tinca tinca'
            return lines
        raise PellucidError(f"{told}: its lines do not all have {len(rows[0])} columns")
    head = [_word(cell) for cell in rows[0]]
    titled = _header(rows[0]) or (len(head) == 1 and head[0] in _NAMES) or _above_numbers(rows)
    body = rows[1:] if titled else rows
    columns = list(zip(*body, strict=True))
    counts = [i for i, column in enumerate(columns) if all(map(str.isdecimal, column))]
    numbers = next((i for i in counts if (titled and head[i] in _INDEXES) or _index(columns[i])), None)
    ids = next((i for i, column in enumerate(columns) if all(map(_WNID.fullmatch, column))), None)
    left = [i for i in range(len(columns)) if i not in (numbers, ids)]
    named = [i for i in left if titled and head[i] in _NAMES]
    if numbers is not None and not left and ids is None:
        raise PellucidError(f"{told}: no column holds names")
    if len(named or left) > 1 and not named and not titled:
        raise PellucidError(
            f"{told}: which of its {len(columns)} columns are the names? Give it a header such as index,name"
        )
    which = (named or left or [ids if ids is not None else 0])[0]
    names: list[Any] = [_several(name) if ids is not None else name for name in columns[which]]
    if ids is not None and which != ids:
        names = [[wnid, *name] for wnid, name in zip(columns[ids], names, strict=True)]
    return names if numbers is None else _by_number(list(zip(map(int, columns[numbers]), names, strict=True)), told)


def _index(column: Sequence[str]) -> bool:
    return len(column) > 1 and _counted([int(cell) for cell in column])


def _above_numbers(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row says in words what a column holds in numbers below."""
    return len(rows) > 2 and any(
        not column[0].isdecimal() and all(map(str.isdecimal, column[1:])) for column in zip(*rows, strict=True)
    )
