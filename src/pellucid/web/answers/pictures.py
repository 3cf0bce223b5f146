"""Pictures: sent, looked at, and what the network says of them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.session import Session

_SIDE = 1600
"""Pixels of the longer side of a picture that is sent whole."""


def predict(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The best guesses for a picture, and what of it the network saw."""
    net, image = here.remembering(about["net"], about["image"]), here.image(about["image"])
    found = net.predict(image, int(about.get("k", 5)))
    seen = net.prepare(image).views[0]
    guesses = [
        {"class": one.index, "name": one.label, "probability": one.probability, "score": one.logit}
        for one in found.ranked[0]
    ]
    yield {
        "guesses": guesses, "seen": list(seen.box), "size": list(seen.original), "scores": found.meta.scores,
        "notes": [note.text for note in found.meta.notes],
    }, b""  # fmt: skip


def picture(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A picture as a JPEG whose longer side has so many pixels at most, without what a camera wrote into it."""
    found = Image.fromarray(here.image(about["image"]).shown(0))
    side = min(int(about.get("side", _SIDE)), _SIDE)
    found.thumbnail((side, side), Image.Resampling.LANCZOS)
    yield {}, jpeg(found)


def jpeg(picture: Image.Image, quality: int = 88) -> bytes:
    """As bytes."""
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def upload(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A picture that was sent."""
    number, found = here.kept(body, str(about.get("name") or "picture"))
    height, width = found.pictures[0].shape[-2:]
    yield {"image": number, "name": found.ids[0], "size": [height, width], "notes": [n.text for n in found.notes]}, b""


ANSWERS: dict[str, Answer] = {"predict": predict, "picture": picture, "upload": upload}
