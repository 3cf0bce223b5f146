"""Help pages: purpose, usage, examples, options in groups, details; one form for every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

GROUPS = ("Arguments", "Target", "Options", "Data", "Server", "View", "Output", "Network", "Machine", "General")
"""In which order the options of a command are listed."""
SHARED = ("View", "Output", "Network", "Machine", "General")
"""Those that many commands have: -h names their options, --help explains them."""
EXIT_CODES = "Exit codes: 0 done, 2 usage, 3 unreadable, 4 some failed, 5 missing, 70 bug."
"""A line below every help page; docs/command_line.md has all of them, with what they mean."""
_NAMES = 24  # columns for the names of options; a longer one has a line of its own


class Formatter(click.HelpFormatter):
    """Headings stand out on a terminal; where colors are not wanted, they are plain."""

    def write_heading(self, heading: str) -> None:
        self.write(f"{_bold(f'{heading}:')}\n")


class Context(click.Context):
    """Lines of up to 100 characters, as wide as the terminal."""

    formatter_class = Formatter

    def __init__(self, command: click.Command, *args: Any, **how: Any) -> None:
        super().__init__(command, *args, **{**how, "max_content_width": 100})


class Page:
    """A help page, part by part; click wraps the lines."""

    def __init__(self, formatter: click.HelpFormatter) -> None:
        self._out = formatter

    def purpose(self, said: str) -> None:
        """The first lines: what it is for."""
        self._out.write_text(said)

    def usage(self, *lines: str) -> None:
        """How it is called."""
        self._out.write_paragraph()
        for line, lead in zip(lines, ("Usage:", *["      "] * len(lines)), strict=False):
            self._out.write(f"{_bold(lead)} {line}\n")

    def lines(self, title: str, lines: Sequence[str]) -> None:
        """Lines that are to be typed, which nothing may break."""
        self._out.write_paragraph()
        self._out.write_heading(title)
        self._out.write("".join(f"  {line}\n" for line in lines))

    def table(self, title: str, rows: Sequence[tuple[str, str]], *, names: int = 0) -> None:
        """Names and what they stand for; `names` are the columns for the names, by default as many as they need."""
        if rows:
            wide = names or max(len(name) for name, _ in rows)
            with self._out.section(title):
                self._out.write_dl([(name.ljust(wide), said) for name, said in rows], col_max=wide)

    def details(self, title: str, said: str) -> None:
        """Paragraphs under a heading."""
        with self._out.section(title):
            self._out.write_text(said)

    def text(self, *said: str) -> None:
        """A paragraph, of texts that each begin a line."""
        self._out.write_paragraph()
        for one in said:
            self._out.write_text(one)


class Option(click.Option):
    """An option that knows the group of the help page it belongs to, and what Python calls it."""

    def __init__(self, *names: str, section: str = "Options", **how: Any) -> None:
        super().__init__(list(names), **how)
        self.section, self.called = section, self.name or ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Lines below its own: what its values are made of."""
        return []


class Argument(click.Argument):
    """An argument that says what may be written for it."""

    def __init__(self, name: str, *, help: str, otherwise: Callable[[], str | None] | None = None, **how: Any) -> None:
        super().__init__([name], type=click.Path(), **how)
        self.said = help
        self._otherwise = otherwise

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """What was written; where nothing was, what is found `otherwise`."""
        value, source = super().consume_value(ctx, opts)
        if self._otherwise is None or ctx.resilient_parsing or not (value is None or self.value_is_missing(value)):
            return value, source
        found = self._otherwise()
        if found is None:
            return value, source
        return (found,) if self.nargs == -1 else found, ParameterSource.DEFAULT_MAP


class Command(click.Command):
    """A command with the page that explains it."""

    context_class = Context

    def __init__(
        self, name: str, call: Callable[..., Any], *, purpose: str, params: Sequence[click.Parameter],
        examples: Iterable[str] = (), details: str = "", shows: str = "", source: str = "",
    ) -> None:  # fmt: skip
        settings = {"token_normalize_func": dashed, "help_option_names": ["--help"]}
        brief = Option("-h", is_flag=True, is_eager=True, expose_value=False, callback=_brief, section="General",
                       help="show the short form of this page")  # fmt: skip
        super().__init__(name, callback=call, short_help=purpose, params=[*params, brief], context_settings=settings)
        self.purpose, self.examples, self.source = purpose, tuple(examples), source
        self.details, self.shows = details, shows

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        page = Page(formatter)
        page.purpose(f"{self.purpose.rstrip('.')}.")
        page.usage(" ".join([dashed(ctx.command_path), *self.collect_usage_pieces(ctx)]))
        if self.examples:
            page.lines("Examples", self.examples)
        rows: dict[str, list[tuple[str, str]]] = {title: [] for title in GROUPS}
        for param in self.get_params(ctx):
            if isinstance(param, Argument):
                rows["Arguments"].append((param.make_metavar(ctx), param.said))
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record and isinstance(param, Option):
                rows[param.section] += [record, *((f"  {key}", said) for key, said in param.rows)]
            elif record:
                rows["General"].append((record[0], "show this page"))  # click's own option, --help
        short = ctx.meta.get(_SHORT, False)
        for title, records in rows.items():
            if short and title in SHARED:
                flags = [name.split()[0].rstrip(",") for name, _ in records if name.startswith("-")]
                rows[title] = [(title.ljust(_NAMES), " ".join(flags))] if flags else []
            else:
                page.table(title, records, names=_NAMES)
        if short:
            page.table("Also (--help explains)", [row for title in SHARED for row in rows[title]])
            return
        if self.shows:
            page.details("How to read it", self.shows)
        if self.details:
            page.details("Details", self.details)
        if self.source:
            page.details("Source", f"{self.source}.")
        page.text(EXIT_CODES)


_SHORT = f"{__name__}.short"


def dashed(name: str) -> str:
    """`--max_side` is understood as `--max-side`."""
    return name.replace("_", "-")


def sentence(said: str) -> str:
    """With a capital letter."""
    return said[:1].upper() + said[1:]


def _brief(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_SHORT] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def _bold(text: str) -> str:
    """On a terminal, unless its owner wants no colors."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else click.style(text, bold=True)
