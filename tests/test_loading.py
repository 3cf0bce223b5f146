"""The options of `load` and of an index are declared once, and reach Python and the shell alike."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import click
import pytest

import pellucid as pl
from pellucid.catalogue import options_of
from pellucid.cli.common import loaded_as, network
from pellucid.cli.group import group
from pellucid.errors import UnknownName
from pellucid.index.folds import STANDARD
from pellucid.loading import LoadOptions
from pellucid.net.load import load
from pellucid.sweep.fold import options_of as options_of_folds

DECLARED = list(get_type_hints(LoadOptions))


def test_python_and_the_shell_have_every_option_of_load() -> None:
    named = [one for one in inspect.signature(load).parameters.values() if one.kind is one.KEYWORD_ONLY]
    # preprocessing is a value of Python: a shell names a file.py:function that gives it with the network
    assert [one.name for one in named] == ["preprocess", *DECLARED]
    assert all(one.default is None for one in named)
    assert [loaded_as()[name] for name in DECLARED] == [option.name for option in network()[1:]]
    assert loaded_as()["size"] == "input_size", "methods have a size of their own"


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no option of load 'wieghts'; nearest of 11: weights"):
        load("bundled", wieghts="random")  # type: ignore[call-arg]


def test_python_and_the_shell_have_every_option_of_an_index() -> None:
    command = group().get_command(click.Context(group()), "index")
    assert command is not None
    shell = {param.name: param.default for param in command.params}
    fields = options_of(pl.units.index).model_fields
    assert {*fields, *options_of_folds(*STANDARD).model_fields} - {"folds"} <= set(shell)
    for name in set(fields) - {"store", "runner", "folds"}:  # a folder and a name there, values in Python
        assert shell[name] == fields[name].default, name
