"""`pellucid predict`: what the network sees."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from pellucid.cli.common import common, images
from pellucid.cli.options import Count, option
from pellucid.cli.page import Command
from pellucid.cli.session import Session, finite, running
from pellucid.cli.tables import plain, table, terminal

if TYPE_CHECKING:
    from pellucid.images import Images
    from pellucid.result import Prediction

Ranked: TypeAlias = "tuple[str, tuple[Prediction, ...]]"
"""An image, and its classes."""
_BAR = 24  # characters for a probability of 1


def command() -> click.Command:
    """The command."""
    top = option("--top", type=Count, default=5, help="number of classes to list")
    return Command(
        "predict", running(_predict), purpose="List the most probable classes of each image",
        params=[images(), top, *common()],
        examples=("pellucid predict sample:panda", "pellucid predict sample:panda sample:koala --top 3 --json"),
        details="In a pipe there is a line for each class, with tabs between image, rank, class number, name, "
        "probability and the network's own output, whose meaning --scores states.",
    )  # fmt: skip


def _predict(session: Session) -> None:
    def ask(picture: Images, i: int) -> Ranked:
        found = session.net.predict(picture, session.given["top"])
        for note in found.meta.notes:
            session.watch.note(str(note))  # which says each once
        return session.names[i], found.ranked[0]

    session.stream(ask, lambda found: document(session, found), lambda found: lines(*found, titled=session.inputs.many))


def document(session: Session, found: Ranked) -> dict[str, Any]:
    """The network, and the classes of one image, as JSON has them."""
    name, ranked = found
    return {
        **session.net.facts(),
        "scores": session.net.meaning.scores,
        "notes": [dataclasses.asdict(note) for note in session.net.notes],
        "results": [{"image": name, "ranked": finite([dataclasses.asdict(prediction) for prediction in ranked])}],
    }


def lines(name: str, ranked: tuple[Prediction, ...], *, titled: bool) -> None:
    """A line for each class in a pipe, bars on a terminal."""
    if not terminal():
        plain(
            (name, rank, prediction.index, prediction.label, _share(prediction, ".6f"), f"{prediction.logit:.4f}")
            for rank, prediction in enumerate(ranked, start=1)
        )
        return
    rows = [
        (prediction.label, _share(prediction, ".1%") or f"{prediction.logit:.4g}", _bar(prediction.probability))
        for prediction in ranked
    ]
    table((("", "fold"), ("", "right"), ("", "keep")), rows, title=name if titled else "")


def _share(prediction: Prediction, how: str) -> str:
    """The probability; nothing for the values of a regression."""
    return "" if prediction.probability is None else format(prediction.probability, how)


def _bar(share: float | None) -> str:
    """Eighths of a character are the smallest step."""
    if share is None:
        return ""
    eighths = round(share * _BAR * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")
