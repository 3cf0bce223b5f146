"""docs/troubleshooting.md quotes what Pellucid says: each message is brought about here, and each is on the page."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest
import torch

from pellucid.cli import main
from tests import trouble
from tests.lines import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^> (.+)$", PAGE, re.MULTILINE)


def pattern(quoted: str) -> re.Pattern[str]:
    """A message with `…` for whatever differs."""
    return re.compile(".+".join(map(re.escape, quoted.split("…"))))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What each command that goes wrong says."""
    root, found = tmp_path_factory.mktemp("trouble"), dict[str, list[str]]()
    with pytest.MonkeyPatch.context() as patch:
        trouble.folder(root)
        patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
        patch.delenv("PELLUCID_NET", raising=False)
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setitem(sys.modules, "pydicom", None)
        for name, words in trouble.SHELL.items():
            patch.chdir(root / "stranger" if name == "stranger" else root)
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as heard:
                code = main(words)
            assert code == 0 if name == "unstated" else code in (2, 3, 5), (name, code)
            found[name] = [line.partition(": ")[2] for line in heard.getvalue().splitlines()]
        yield found


def test_what_is_quoted_is_said(said: dict[str, list[str]]) -> None:
    lines = [line for several in said.values() for line in several]
    wrong = [quoted for quoted in QUOTED if not any(pattern(quoted).fullmatch(line) for line in lines)]
    assert not wrong, "\n".join([*wrong, "", *lines])


def test_all_that_goes_wrong_here_is_on_the_page(said: dict[str, list[str]]) -> None:
    known = [pattern(one) for one in QUOTED]
    absent = [name for name, lines in said.items() if not any(one.fullmatch(line) for one in known for line in lines)]
    assert absent == ["no numbers"]
    assert 15 <= len(QUOTED) <= 30


def test_advice_for_a_network_that_returns_no_numbers_can_be_followed(said: dict[str, list[str]]) -> None:
    assert said["no numbers"][-1].startswith("model.py:text returns a str: its forward must return a tensor")
