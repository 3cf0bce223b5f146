"""Many images explained, as one page: the explorer's own, with its answers in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pellucid import __version__
from pellucid.catalogue import find
from pellucid.errors import BadImage, PellucidError
from pellucid.export import as_bytes, as_json, exported
from pellucid.files import WITHOUT_FILE
from pellucid.images.files import is_picture
from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.web.answers import ANSWERS
from pellucid.web.forms import form
from pellucid.web.kept import cache_folder
from pellucid.web.session import Session

_SIDE = 448
"""Pixels of the longer side of a picture."""


def report(
    net: Net, images: Sequence[str], methods: Sequence[str], classes: int = 1
) -> tuple[str, tuple[PellucidError, ...]]:
    """(the page, what was left out and why). `images` are files, samples, and folders of images; an answer that is
    known from an earlier time is read. PellucidError where none can be read, or a method makes no map of a class.
    """
    here = Session({"folder": str(cache_folder())}, net)
    records: dict[str, Any] = {}
    shown, failed = list[dict[str, str]](), list[PellucidError]()
    for name, place in steps(list(_each(images)), "images"):
        number = f"r-{len(shown)}"
        here.paths[number] = place
        try:
            records |= dict(_answers(here, number, methods, classes))
        except BadImage as error:
            failed.append(error)
            continue
        shown.append({"id": number, "name": name})
    if not shown:
        raise failed[0] if failed else PellucidError(f"{', '.join(images)}: there is no image")
    about = {**here.described(), "images": shown, "folders": [], "indexes": []}
    records["api/state"] = as_json({"version": __version__, "state": "ready", "lost": 0, **about})
    records["api/methods"] = as_json([{**form(find(name)), "took": None} for name in methods])
    route = f"#/report/?m={','.join(methods)}&k={classes}"
    return exported("Report", route, records), tuple(failed)


def _each(images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(its name, where it is) of every image, those of folders among them."""
    for one in images:
        if one.startswith(WITHOUT_FILE) or is_picture(one):
            yield Path(one).name.removeprefix("sample:"), one
            continue
        source, folder = Source.of(one), Path(one)
        if not folder.is_dir():
            raise PellucidError(f"{one!r}: a report is made of image files and folders of them")
        for i in range(len(source)):
            yield source.name(i), str(folder / source.name(i))


def _answers(here: Session, image: str, methods: Sequence[str], classes: int) -> Iterator[tuple[str, Any]]:
    """What the page asks about one image, with the answers."""

    def asked(do: str, **about: Any) -> Iterator[tuple[dict[str, Any], bytes]]:
        return ANSWERS[do](here, about, b"")

    ((said, _),) = asked("predict", net="n0", image=image, k=5)
    yield f"api/nets/n0/predict/{image}?k=5", as_json(said)
    ((_, content),) = asked("picture", image=image, side=_SIDE)
    yield f"api/images/{image}?side={_SIDE}", as_bytes(content, "image/jpeg")
    body = {"methods": list(methods), "image": image, "net": "n0", "targets": [], "k": classes}
    lines = []
    for line, content in asked("compare", **body):
        lines.append(line)
        if "key" in line:
            yield f"api/results/{line['key']}", as_bytes(content)
    yield f"api/compare {json.dumps(body, separators=(',', ':'))}", {"lines": lines}
