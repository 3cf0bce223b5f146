"""Tables on stdout: for eyes on a terminal, one tab-separated line per row in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

Row = Sequence[object]
_NARROW = 96


def terminal() -> bool:
    """Whether somebody is looking at stdout."""
    return sys.stdout.isatty()


def plain(rows: Iterable[Row]) -> None:
    """One line per row; a tab or line feed within a cell would break the line, so they become spaces."""
    for row in rows:
        click.echo("\t".join(" ".join(str(cell).split()) for cell in row))


def table(layout: Sequence[tuple[str, str]], rows: Iterable[Row], *, title: str = "") -> None:
    """Columns under dim headings, no lines. `layout` has for each column its heading and how it behaves.

    "keep" and "right" (set flush right) are never cut short, "fold" goes on in the next line, "clip" loses its end.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, cells = Console(highlight=False), [[str(cell) for cell in row] for row in rows]
    gap = 1 if console.width < _NARROW else 2
    widths = [
        max([len(heading), *(len(row[i]) for row in cells)])
        for i, (heading, how) in enumerate(layout)
        if how in ("keep", "right")
    ]
    rest = max(console.width - sum(widths) - gap * (len(layout) - 1), 8)  # for the one column that gives way
    made = Table(
        box=None,
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        show_header=any(heading for heading, _ in layout),
        header_style="dim",
        pad_edge=False,
        padding=(0, gap, 0, 0),
    )
    for heading, how in layout:
        made.add_column(
            heading,
            justify="right" if how == "right" else "left",
            no_wrap=how != "fold",
            max_width=rest if how == "clip" else None,
        )
    for row in cells:
        made.add_row(*map(Text, row))
    console.print(made)
