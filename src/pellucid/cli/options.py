"""Options of commands, made from declarations: a pydantic field, or a type with its constraints, becomes a flag."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import click
import pydantic
from click.shell_completion import CompletionItem
from pydantic import Field
from pydantic.fields import FieldInfo

from pellucid.errors import unknown
from pellucid.nouns import Noun
from pellucid.plugins import NETWORKS, forms

if TYPE_CHECKING:
    Kind = click.ParamType[Any]
else:
    Kind = click.ParamType  # generic since click 8.4

_WORDS: dict[Any, str] = {int: "INT", float: "NUMBER", str: "TEXT"}


class Declared(Kind):
    """Text into what a declaration says; pydantic decides, so that no rule is written twice."""

    def __init__(self, annotation: Any, field: FieldInfo) -> None:
        self.choices = {str(choice): choice for choice in _choices(annotation)}
        self._list = typing.get_origin(annotation) in (tuple, list)
        parts = typing.get_args(annotation) if _is_union(annotation) else ()
        self._maybe_list = any(typing.get_origin(part) in (tuple, list) for part in parts)
        config = pydantic.ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
        self._adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
            Annotated[annotation, field], config=None if dataclasses.is_dataclass(annotation) else config
        )
        self.name = _word(annotation)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if self.choices and value not in self.choices and not self._adapter_takes_anything_else:
            self.fail(f"{value!r}: choose from {', '.join(self.choices)}", param, ctx)
        given: Any = self.choices.get(value, value)
        several = self._list or (self._maybe_list and "," in value)
        try:
            return self._adapter.validate_python(given.split(",") if several else given)
        except pydantic.ValidationError as error:
            if self._maybe_list and not several:
                with suppress(pydantic.ValidationError):  # one name, where a list of them is asked for
                    return self._adapter.validate_python([given])
            said = error.errors()[0]["msg"]
            self.fail(f"{value!r}: {said[:1].lower()}{said[1:]}", param, ctx)

    @property
    def _adapter_takes_anything_else(self) -> bool:
        """Whether there are choices and free values besides: `Literal['auto'] | int`."""
        return self.name != "|".join(self.choices)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


class Option(click.Option):
    """An option that knows the section of the help page it belongs to."""

    def __init__(self, *names: str, section: str = "Options", **how: Any) -> None:
        super().__init__(list(names), **how)
        self.section = section


class Command(click.Command):
    """A command with its options in sections."""

    def __init__(
        self, name: str, call: Callable[..., Any], *, doc: str, summary: str, params: Sequence[click.Parameter]
    ) -> None:
        settings = {"token_normalize_func": dashed, "help_option_names": ["-h", "--help"], "max_content_width": 100}
        super().__init__(
            name, callback=call, help=doc, short_help=summary, params=list(params), context_settings=settings
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record:
                # click's own option is --help
                sections.setdefault(getattr(param, "section", "Answer"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=28)


def dashed(name: str) -> str:
    """`--max_side` is understood as `--max-side`."""
    return name.replace("_", "-")


def option(*names: str, type: Any, default: Any = None, help: str, section: str = "Options", says: str = "") -> Option:
    """An option from a type such as `Annotated[int, Field(ge=1)]`; the help page shows its default and range.

    `says` stands for the default where that is decided later.
    """
    field = FieldInfo.from_annotation(type)
    return _option(names, field.annotation, field, default, help, section, says)


def options_from(model: type[pydantic.BaseModel], section: str = "Options") -> list[Option]:
    """One option for each field of the model."""
    made = []
    for name, field in model.model_fields.items():
        default = ... if field.is_required() else field.get_default(call_default_factory=True)
        names = (f"--{dashed(name)}", name)
        made.append(_option(names, field.annotation, field, default, field.description or "", section))
    return made


def _option(
    names: Sequence[str], annotation: Any, field: FieldInfo, default: Any, help: str, section: str, says: str = ""
) -> Option:
    facts = _facts(annotation, field, says or default)
    shown = f"{help}  [{'; '.join(facts)}]" if facts else help
    how: dict[str, Any] = {"required": True} if default is ... else {"default": default}
    if annotation is bool:
        flag, *rest = names
        return Option(f"{flag}/--no-{flag.removeprefix('--')}", *rest, help=shown, section=section, **how)
    kind = Declared(annotation, field)
    return Option(*names, type=kind, metavar=kind.name, help=shown, section=section, **how)


def _facts(annotation: Any, field: FieldInfo, default: Any) -> list[str]:
    """Default and range, for the help page."""
    facts = []
    if default is not None and default is not ...:  # click says itself what is required
        said = ("yes" if default else "no") if isinstance(default, bool) else default
        facts.append(f"default: {','.join(map(str, said)) if isinstance(said, (tuple, list)) else said}")
    bounds = {
        key: getattr(one, key)
        for one in _constraints(annotation, field.metadata)
        for key in _BOUNDS
        if hasattr(one, key)
    }
    if {"ge", "le"} <= set(bounds):
        facts.append(f"{bounds['ge']} to {bounds['le']}")
    else:
        facts += [f"{_BOUNDS[key]} {bound}" for key, bound in bounds.items()]
    return facts


_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _constraints(annotation: Any, metadata: Iterable[Any]) -> list[Any]:
    """What bounds a value, wherever it is written: `Annotated[int, Ge(1)] | None` has it inside."""
    found: list[Any] = []
    for one in metadata:
        found += one.metadata if isinstance(one, FieldInfo) else [one]
    for part in typing.get_args(annotation) if _is_union(annotation) else ():
        if typing.get_origin(part) is Annotated:
            inner, *more = typing.get_args(part)
            found += _constraints(inner, more)
    return found


def _choices(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    parts = typing.get_args(annotation) if _is_union(annotation) else ()
    return tuple(choice for part in parts for choice in _choices(part))


def _word(annotation: Any) -> str:
    """What the help page writes for a value: INT, a|b, INT,INT."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _word(parts[0])
    if origin is Literal:
        return "|".join(map(str, parts))
    if _is_union(annotation):
        return "|".join(_word(part) for part in parts if part is not type(None))
    if origin in (tuple, list):
        return ",".join(_word(part) if part is not ... else "…" for part in parts)
    # a noun, such as Images, makes itself from what a person writes
    return _WORDS.get(annotation, _noun(annotation))


def _noun(annotation: Any) -> str:
    """A noun that is an option is written as its kind is called: IMAGES, RECIPE, CONCEPTS."""
    return annotation.__name__.upper() if isinstance(annotation, type) and issubclass(annotation, Noun) else "VALUE"


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)


# What every command understands. Names are chosen so that no method's option meets them; a test holds that.

Count = Annotated[int, Field(ge=1)]


def common(*, out: bool = False, size: bool = True) -> list[Option]:
    """The options of every command that loads a network; `out` adds where the answer is saved."""
    found: list[Option] = []
    if out:
        found.append(
            Option(
                "-o", "--out", multiple=True, metavar="PATH", section="Answer",
                help="a file, its suffix decides: .png .svg .pdf pictures, .npz raw numbers; or a folder/. May be "
                "given several times.  [default: IMAGE.METHOD.png here]",
            )
        )  # fmt: skip
        found.append(
            Option(
                "--look", type=Looks(), metavar="NAME=VALUE,…", section="Answer",
                help="how maps are drawn: view=positive, scale=own, percentile=99, opacity=0.5, smooth=cells, crop, "
                "field, dark, …",
            )
        )  # fmt: skip
    found += [
        *spoken(),
        _net("--net", default="bundled", envvar="PELLUCID_NET", metavar="SPEC",
             help=f"{', '.join(forms(NETWORKS))}  [default: bundled; or $PELLUCID_NET]"),
        _net("--weights", metavar="FILE", help="a checkpoint to put into it, or 'random'"),
        _net("--labels", metavar="FILE", help="names of the classes: one a line, JSON, or a table"),
        _net("--output", metavar="NAME", help="which tensor, where the network returns several: logits, 0"),
        _net("--scores", metavar="KIND",
             help="what its numbers of classes mean: logits (one class out of several), multilabel (logits, each label "
             "by itself), probabilities, log_probabilities, regression  [default: as the network ends, else logits]"),
        _net("--mean", metavar="N,N,N", type=Numbers(), help="per channel, for pixels in 0..1; or see --value-range"),
        _net("--std", metavar="N,N,N", type=Numbers(), help="per channel, for pixels in 0..1; or see --value-range"),
        _net("--value-range", metavar="LOW,HIGH", type=Numbers(),
             help="full scale of pictures deeper than 8 bits, and the units of --mean and --std: 0,65535"),
        option("--channels", type=Count | None, help="of the pictures that it takes", section="Network"),
        option("--interpolation", type=Literal["bilinear", "bicubic", "nearest"] | None, section="Network",
               help="how pictures are resized"),
    ]  # fmt: skip
    if size:
        found.append(_net("--input-size", metavar="PIXELS", type=Size(), help="side of its input, or HEIGHTxWIDTH"))
    found += [
        _machine("--device", type=Literal["auto", "cpu", "cuda"], default="auto", help="where it runs"),
        _machine("--threads", type=Count | None, help="for the CPU's arithmetic", says="$OMP_NUM_THREADS, or 1"),
    ]  # fmt: skip
    return found


def spoken() -> list[Option]:
    """How a command talks."""
    return [
        Option("--json", is_flag=True, section="Answer", help="one JSON document on stdout"),
        Option("-q", "--quiet", is_flag=True, section="Answer", help="no progress and no notes"),
        Option("--debug", is_flag=True, section="Answer", help="tracebacks, and every warning"),
    ]


def _net(*names: str, **how: Any) -> Option:
    return Option(*names, section="Network", **how)


def _machine(*names: str, **how: Any) -> Option:
    return option(*names, section="Machine", **how)


def images() -> click.Argument:
    """The pictures asked about."""
    return click.Argument(["images"], nargs=-1, required=True, metavar="IMAGE...", type=click.Path())


class Size(Kind):
    """`224`, or `192x256` for height and width."""

    name = "PIXELS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        sides = [side.strip() for side in str(value).lower().replace("×", "x").split("x")]
        if len(sides) > 2 or not all(side.isascii() and side.isdecimal() and 0 < int(side) < 10**5 for side in sides):
            self.fail(f"{value!r}: a side in pixels, such as 224, or HEIGHTxWIDTH, such as 192x256", param, ctx)
        return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


class Numbers(Kind):
    """`0.5`, or `0.485,0.456,0.406`."""

    name = "NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return tuple(float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: a number, or one per channel with commas between", param, ctx)


class Looks(Kind):
    """`view=positive,dark`: options of the drawing room, which says itself what is wrong with them."""

    name = "LOOK"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from pellucid.draw import Look

        known = [field.name for field in dataclasses.fields(Look)]
        look: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, given, said = part.partition("=")
            if name not in known:
                raise unknown("look", name, known)
            look[name] = _number(said) if given else True
        Look(**look)
        return look


def _number(text: str) -> Any:
    """A number or yes or no where it is one, else the text."""
    if text in ("yes", "no"):
        return text == "yes"
    try:
        return float(text)
    except ValueError:
        return text
