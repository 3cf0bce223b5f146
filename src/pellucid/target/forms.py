"""How targets are written: each kind declares its forms, and help, documentation and the grammar read them.

    @target("word(TOKEN,POSITION)", examples=("word(17,3)",), help="captions: the log probability of a token")
    class Word(Target): ...

Another package names its class in the entry points `pellucid.targets`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from pellucid.plugins import TARGETS

K = TypeVar("K", bound=type)


def target(form: str, *, examples: tuple[str, ...], help: str) -> Callable[[K], K]:
    """Declare one form of a kind of target, `NAME(…)` or one without brackets; its `read` makes it of such a text.

    `form` stands in help, with words in capitals for what is filled in; `examples` and `help` in the documentation.
    """
    return TARGETS.declare(form, examples=examples, help=help)


class Written:
    """The help of an option that takes a target: all forms that there are at the time, those of other packages too."""

    def __get__(self, instance: Any, owner: type | None = None) -> str:
        forms = "; ".join(str(row.first) for row in TARGETS.rows())
        return f"{forms}; sums such as CLASS - CLASS. A CLASS is a name, a number or a WordNet id"


def documented(of: Callable[..., Any]) -> None:
    """The forms, with an example and what each means, at the end of the docstring of `Target.of`."""
    rows = (f"- `{row.first}`, for example `{row.said['examples'][0]}`: {row.said['help']};" for row in TARGETS.rows())
    function = getattr(of, "__func__", of)
    function.__doc__ = inspect.cleandoc(function.__doc__ or "") + "\n\n" + "\n".join(rows)
