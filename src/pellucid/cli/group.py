"""`pellucid` itself: which commands there are, known without importing what they need."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from pellucid import __version__
from pellucid.cli.chapters import WORDS, Chapter, chapters, completed, flat, in_chapters, own, underscored
from pellucid.cli.everyday import EVERYDAY, HEAVY
from pellucid.cli.page import Context, Page, dashed, sentence
from pellucid.errors import unknown

_PURPOSE = "Look inside convolutional networks: which pixels decide, what units see."
_EXAMPLES = (
    "pellucid explain sample:panda",
    "pellucid grad-cam sample:koala --target koala --out koala.png",
)


_COMPLETION = 'Completion: eval "$(_PELLUCID_COMPLETE=bash_source pellucid)" in ~/.bashrc'
"""One line, as there are ever more chapters; docs/command_line.md has those of other shells."""


class Group(click.Group):
    """Commands that are imported when they are called: everyday ones, chapters, and methods without their chapter."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys([*EVERYDAY, *chapters(), *flat()]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = underscored(cmd_name)
        chapter, _, rest = name.partition(".")
        if rest and chapter in chapters():
            return Chapter(chapter).get_command(ctx, rest)
        if name in EVERYDAY:
            return own(ctx, name, heavy=name in HEAVY)
        return Chapter(name) if name in chapters() else in_chapters(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        ctx.meta[WORDS] = args[1:]
        command = self.get_command(ctx, args[0])
        if command is None:
            raise unknown("command", args[0], map(dashed, self.list_commands(ctx)))
        return command.name, command, args[1:]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One screen: the everyday commands, then the chapters."""
        page = Page(formatter)
        page.purpose(_PURPOSE)
        page.usage("pellucid COMMAND …   or   pellucid CHAPTER METHOD …")
        page.lines("Examples", _EXAMPLES)
        rows = {name: _after_colon(said) for name, said in chapters().items()}
        wide = max(map(len, rows))
        page.table("Commands", list(EVERYDAY.items()), names=wide)
        page.table("Chapters of methods", list(rows.items()), names=wide)
        page.text(
            "`pellucid attribution` lists its methods; -h is short help, --help all of it.",
            _COMPLETION,
        )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = {**EVERYDAY, **chapters(), **flat()}
        return completed(names, incomplete) + click.Command.shell_complete(self, ctx, incomplete)


def _after_colon(said: str) -> str:
    """What a chapter answers, beside its name."""
    return sentence(said.partition(": ")[2].rstrip(".") or said)


def group() -> Group:
    """The whole command line."""

    def bare(ctx: click.Context) -> None:
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())

    return Group(
        "pellucid",
        callback=click.pass_context(bare),
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        params=[
            click.Option(
                ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
                help="Show the version and exit.",
            )
        ],
    )  # fmt: skip


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        click.echo(f"pellucid {__version__}")
        ctx.exit()
