"""`pellucid methods`: what can be asked."""

from __future__ import annotations

from itertools import groupby

import click

from pellucid.catalogue import entries
from pellucid.cli.options import Command, spoken
from pellucid.cli.session import Session, running
from pellucid.cli.tables import plain, table, terminal


def command() -> click.Command:
    """The command."""
    return Command(
        "methods", running(_methods), summary="What can be asked", params=spoken(),
        doc="All methods by chapter, with the paper and the place in it. In a pipe: chapter, name, title, source.",
    )  # fmt: skip


def _methods(session: Session) -> None:
    facts = ("name", "title", "source", "chapter")
    session.tell({"methods": [{fact: getattr(entry, fact) for fact in facts} for entry in entries()]}, _lines)


def _lines() -> None:
    if not terminal():
        plain((entry.chapter, entry.name, entry.title, entry.source) for entry in entries())
        return
    for chapter, found in groupby(entries(), key=lambda entry: entry.chapter):
        rows = [(entry.name, entry.title, entry.source) for entry in found]
        table((("", "keep"), ("", "keep"), ("", "fold")), rows, title=chapter.capitalize())
