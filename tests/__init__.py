"""Tests: they mirror the source; besides, tests of the whole catalogue, the architecture and the docs."""

from collections.abc import Callable
from typing import Any


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its arguments checked in `.ci/run`: `--jaxtyping-packages=pellucid,tests.checked`.

    As type checkers read annotations: where a float is asked for, an int will do (PEP 484, "the numeric tower").
    """
    from beartype import BeartypeConf, beartype

    return beartype(conf=BeartypeConf(is_pep484_tower=True))(function)
