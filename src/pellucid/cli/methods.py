"""`pellucid methods`: what can be asked."""

from __future__ import annotations

from itertools import groupby

import click

from pellucid.catalogue import entries
from pellucid.cli.common import spoken
from pellucid.cli.page import Command
from pellucid.cli.session import Session, running
from pellucid.cli.tables import plain, table, terminal


def command() -> click.Command:
    """The command."""
    return Command(
        "methods", running(_methods), purpose="List all methods by chapter, with the paper behind each",
        params=spoken(), examples=("pellucid methods", "pellucid methods --json"),
        details="In a pipe there is a line for each method, with tabs between chapter, name, title and source.",
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
