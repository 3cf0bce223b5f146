"""`pellucid` itself: which commands there are, known without importing what they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import groupby

import click
from click.shell_completion import CompletionItem

from pellucid import __version__
from pellucid.catalogue import entries
from pellucid.cli.watch import Watch
from pellucid.errors import unknown

_OWN = {
    "explain": "Why this answer? Several methods, one picture",
    "predict": "What the network sees",
    "layers": "What the network is made of, where each layer looks",
    "index": "A network over a data set: one exact pass, resumable",
    "unit": "All about one unit of an index, on one page",
    "units": "The units of an index, asked in SQL",
    "similar": "What is like this: units, or pictures",
    "show": "A saved answer as a picture",
    "methods": "What can be asked, and the paper behind each",
    "doctor": "What works on this machine",
}
"""Our own commands, each in pellucid.cli.NAME as `command()`; all others are methods of the catalogue."""
_HEAVY = {
    "explain",
    "index",
    "unit",
    "units",
    "similar",
    "show",
}
"""torch is needed to say what their options are, as for the methods."""

_DOC = """Look inside convolutional neural networks.

\b
  pellucid explain sample:panda
  pellucid grad_cam dog.jpg --target "tiger cat" --out cat.png
  pellucid predict dog.jpg --net timm:resnet50
"""
_EPILOG = (
    "pellucid COMMAND --help says more. Pictures are files, URLs or samples (sample:panda). "
    'Completion: eval "$(_PELLUCID_COMPLETE=bash_source pellucid)" in ~/.bashrc; for zsh and fish write '
    "zsh_source or fish_source."
)


class Group(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_OWN, *(entry.name for entry in entries() if entry.name not in _OWN)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("-", "_")
        chapter, _, bare = name.rpartition(".")
        if chapter and any((entry.chapter, entry.name) == (chapter, bare) for entry in entries()):
            name = bare
        if name not in self.list_commands(ctx):
            return None
        with _loading(ctx, name in _HEAVY or name not in _OWN):
            if name in _OWN:
                own: click.Command = import_module(f"pellucid.cli.{name}").command()
                return own
            made: click.Command = import_module("pellucid.cli.ask").command(name)
            return made

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None:
            raise unknown("command", args[0], self.list_commands(ctx))
        return command.name, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections = {"Commands": list(_OWN.items())}
        for chapter, found in groupby(entries(), key=lambda entry: entry.chapter):
            sections[chapter.capitalize()] = [(entry.name, entry.title) for entry in found]
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), said) for name, said in rows])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        said = _OWN | {entry.name: entry.title for entry in entries()}
        names = [CompletionItem(name, help=help) for name, help in said.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@contextmanager
def _loading(ctx: click.Context, heavy: bool) -> Iterator[None]:
    watch = ctx.find_root().obj
    if heavy and isinstance(watch, Watch):
        with watch.busy("loading torch"):
            yield
    else:
        yield


def group() -> Group:
    """The whole command line."""

    def bare(ctx: click.Context) -> None:
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())

    return Group(
        "pellucid",
        callback=click.pass_context(bare),
        invoke_without_command=True,
        help=_DOC,
        epilog=_EPILOG,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                help="Show the version and exit.",
                callback=_version,
            )
        ],
    )


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        click.echo(f"pellucid {__version__}")
        ctx.exit()
