"""The chapters of the catalogue as commands: `pellucid attribution grad-cam`, `pellucid attribution --help`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pellucid.catalogue import Entry, american, entries
from pellucid.cli.everyday import EVERYDAY
from pellucid.cli.page import Context, Page, dashed, sentence
from pellucid.cli.watch import Watch
from pellucid.errors import PellucidError, unknown
from pellucid.plugins import METHODS

WORDS = f"{__name__}.words"
"""Where a context keeps what was written after the name of a command."""
_EXPLAIN = Entry("explain", "", "", "", "pellucid.ask")
_BESIDES = {
    "units": {
        "index": "record what every unit does over a data set",
        "table": "list the units that an SQL condition holds for",
    }
}
"""Commands of a chapter that are no methods, each in pellucid.cli.NAME as `command()`."""


class Chapter(click.Group):
    """The methods of one chapter."""

    context_class = Context

    def __init__(self, chapter: str) -> None:
        super().__init__(
            chapter,
            help=about(chapter),
            callback=click.pass_context(_bare),
            invoke_without_command=True,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        self.chapter = chapter

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(commands(self.chapter))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = underscored(cmd_name)
        if name in _BESIDES.get(self.chapter, {}):
            return own(ctx, name, heavy=True)
        entry = next((one for one in entries() if (one.chapter, one.name) == (self.chapter, name)), None)
        return None if entry is None else of_method(ctx, entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        ctx.meta[WORDS] = args[1:]
        command = self.get_command(ctx, args[0])
        if command is None:
            elsewhere = [one.chapter for one in entries() if one.name == underscored(args[0])]
            if elsewhere:
                raise PellucidError(
                    f"no command {args[0]!r} in {self.chapter}: it is pellucid {elsewhere[0]} {dashed(args[0])}"
                )
            raise unknown(f"command of {self.chapter}", args[0], map(dashed, self.list_commands(ctx)))
        return command.name, command, args[1:]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the chapter answers, and a line for each of its commands."""
        first = next(iter(commands(self.chapter)))
        page = Page(formatter)
        page.purpose(about(self.chapter))
        page.usage(f"pellucid {self.chapter} COMMAND …")
        page.table("Commands", [(dashed(name), sentence(said)) for name, said in commands(self.chapter).items()])
        page.text(
            f"`pellucid {self.chapter} {dashed(first)} --help` explains a command, which also works without its "
            "chapter. `pellucid methods` names the papers."
        )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return completed(commands(self.chapter), incomplete) + click.Command.shell_complete(self, ctx, incomplete)


def chapters() -> dict[str, str]:
    """Every chapter that has a method, with what it answers in a line."""
    return {name: about(name) for name in sorted({entry.chapter for entry in entries()})}


def commands(chapter: str) -> dict[str, str]:
    """The commands of a chapter with a line for each: its methods, and what else belongs there."""
    found = {entry.name: entry.purpose or entry.title for entry in entries() if entry.chapter == chapter}
    return dict(sorted({**found, **_BESIDES.get(chapter, {})}.items()))


def flat() -> dict[str, str]:
    """What may also be asked without its chapter: every name that only one chapter has, and no everyday command."""
    found: dict[str, str] = {}
    twice = set(EVERYDAY)
    for chapter in chapters():
        for name, said in commands(chapter).items():
            twice |= {name} & set(found)
            found[name] = said
    return {name: said for name, said in found.items() if name not in twice}


def in_chapters(ctx: click.Context, name: str) -> click.Command | None:
    """The command of that name, whichever chapter it is in; PellucidError where several have one."""
    where = [chapter for chapter in chapters() if name in commands(chapter)]
    if len(where) > 1:
        both = " or ".join(f"pellucid {chapter} {dashed(name)}" for chapter in where)
        raise PellucidError(f"{dashed(name)!r} is in {len(where)} chapters: write {both}")
    return Chapter(where[0]).get_command(ctx, name) if where else None


def about(chapter: str) -> str:
    """What a chapter answers: the first line of its package, which is read and not imported."""
    folder = Path(__file__).parents[1] / "methods" / chapter
    if not (folder / "__init__.py").is_file():
        modules = {entry.module for entry in entries() if entry.chapter == chapter}
        return f"Methods of {', '.join(sorted({module.partition('.')[0] for module in modules}))}."
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or chapter
    return said.partition("\n")[0]


def of_method(ctx: click.Context, entry: Entry) -> click.Command:
    """The command of a method; making it imports the method, and with it torch."""

    def made() -> click.Command:
        with _loading(ctx):
            found: click.Command = import_module("pellucid.cli.ask").command(entry)
            return found

    return _sketched(ctx, entry, made)


def _sketched(ctx: click.Context, entry: Entry, made: Callable[[], click.Command]) -> click.Command:
    """What `made` makes, which takes seconds: after its words are looked at, and for completion only if need be."""
    from pellucid.cli import sketch

    if ctx.resilient_parsing:
        return sketch.Sketched(entry, made)
    sketch.refuse(entry, ctx.meta.get(WORDS, ()))
    return made()


def own(ctx: click.Context, name: str, *, heavy: bool) -> click.Command:
    """A command with a file of its own."""
    if not heavy:
        found: click.Command = import_module(f"pellucid.cli.{name}").command()
        return found

    def made() -> click.Command:
        with _loading(ctx):
            return own(ctx, name, heavy=False)

    return _sketched(ctx, _EXPLAIN, made) if name == "explain" else made()


def completed(names: dict[str, str], incomplete: str) -> list[CompletionItem]:
    """The names that begin so, with dashes unless an underscore has been typed."""
    shown = names if "_" in incomplete else {dashed(name): said for name, said in names.items()}
    return [CompletionItem(name, help=said) for name, said in shown.items() if name.startswith(incomplete)]


def underscored(name: str) -> str:
    """`grad-cam` is the method `grad_cam`; British spelling is understood."""
    plain = name.replace("-", "_")
    return plain if METHODS.has(plain) else american(plain)


def _bare(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@contextmanager
def _loading(ctx: click.Context) -> Iterator[None]:
    watch = ctx.find_root().obj
    if isinstance(watch, Watch):
        with watch.busy("loading torch"):
            yield
    else:
        yield
