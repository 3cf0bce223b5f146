"""Sets of images that were chosen on a map: kept, named, found again, and their mean picture."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import PellucidError, UnknownName
from pellucid.files import unplaced, write_atomically
from pellucid.index import Index
from pellucid.index.thumbnails import mean_of
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.answers.indexed import kept_side, labels_of, missing, png
from pellucid.web.session import Session

_SETS, _NAMED, _FIRST, _CLASSES = 300, 200, 48, 24
"""Sets without a name that are kept, and with one; images and classes of a set that are sent."""


def chosen(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A set of images, kept under the hash of their numbers, so that a link to it holds."""
    index = here.index(about["index"])
    ids = sorted({index.image(one) for one in about["ids"]})
    name = hashlib.sha256(f"{index.identity} {ids}".encode()).hexdigest()[:16]
    _written(_folder(here) / f"{name}.json", {"identity": index.identity, "ids": ids})
    _tidy(_folder(here))
    yield _described(here, index, name, ids), b""


def chosen_before(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A set by its id, with the numbers of its images."""
    index, name = here.index(about["index"]), str(about["set"])
    ids = _ids(here, index, name)
    yield {**_described(here, index, name, ids), "ids": ids}, b""


def named(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """Give a set a name, or take it away: an empty one is none."""
    index, name = here.index(about["index"]), str(about["set"])
    ids, called = _ids(here, index, name), " ".join(str(about["name"]).split())
    file = _folder(here, "named") / f"{name}.json"
    if not called:
        file.unlink(missing_ok=True)
    elif not file.exists() and len(list(file.parent.glob("*.json"))) >= _NAMED:
        raise PellucidError(f"{_NAMED} sets have names already: take one away first")
    else:
        _written(file, {"identity": index.identity, "name": called, "count": len(ids)})
    yield {"set": name, "name": called}, b""


def all_named(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The sets of an index that have names, by these."""
    index = here.index(about["index"])
    said = [(file.stem, _read(file)) for file in _folder(here, "named").glob("*.json")]
    rows = [{"set": name, "name": one["name"], "count": one["count"]} for name, one in said
            if one.get("identity") == index.identity and (_folder(here) / f"{name}.json").is_file()]  # fmt: skip
    yield {"sets": sorted(rows, key=lambda row: (row["name"].casefold(), row["set"]))}, b""


def mean(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The mean of the small pictures of a set, or of a part of it drawn at random where it is large."""
    index = here.index(about["index"])
    ids, why = _ids(here, index, str(about["set"])), missing(index)
    if why and not kept_side(index):
        raise PellucidError(why)
    pixels, images = mean_of(index, ids)
    picture = base64.b64encode(png(np.rint(pixels).astype(np.uint8))).decode()
    yield {"picture": f"data:image/png;base64,{picture}", "images": images, "of": len(ids)}, b""


def _ids(here: Session, index: Index, name: str) -> list[int]:
    """The images of a set. UnknownName where it is not here, or of another index."""
    said = _read(_folder(here) / f"{name}.json") if name.isalnum() else {}
    if said.get("identity") != index.identity:
        raise UnknownName("this selection is not here any more: select again")
    return list(said["ids"])


def _folder(here: Session, *within: str) -> Path:
    folder = here.folder.joinpath("sets", *within)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text()) if file.is_file() else {}


def _written(file: Path, said: dict[str, Any]) -> None:
    write_atomically(file, lambda out: out.write(json.dumps(said).encode()))


def _tidy(folder: Path) -> None:
    """Forget the oldest of too many; those that have names stay."""
    files = [one for one in folder.glob("*.json") if not (folder / "named" / one.name).is_file()]
    for file in sorted(files, key=lambda one: one.stat().st_mtime)[:-_SETS]:
        file.unlink(missing_ok=True)


def _described(here: Session, index: Index, name: str, ids: list[int]) -> dict[str, Any]:
    """How many, of which classes, and the first ones."""
    why = missing(index)
    first = ids[:_FIRST]
    labels = labels_of(index, np.array(ids, np.int64))
    counts = np.bincount(labels[labels >= 0], minlength=len(index.classes))
    order = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]]
    names = [None] * len(first) if why else list(index.names(np.array(first, np.int64)))
    rows = zip(first, names, labels[: len(first)].tolist(), strict=True)
    return {
        "set": name, "name": _read(_folder(here, "named") / f"{name}.json").get("name", ""), "count": len(ids),
        "missing": why, "of": len(order),
        "classes": [{"name": index.classes[k], "count": int(counts[k])} for k in order[:_CLASSES]],
        "first": [{"image": i, "name": called, "label": index.classes[k] if k >= 0 else None} for i, called, k in rows],
        "about": unplaced(index.name),
    }  # fmt: skip


ANSWERS: dict[str, Answer] = {
    "set": chosen, "set_before": chosen_before, "set_named": named, "sets": all_named, "set_mean": mean,
}  # fmt: skip
