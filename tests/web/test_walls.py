"""Walls, in a process of their own: there is no way back from them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TRY = """
import json, os, sys
from pathlib import Path
from pellucid.web.walls import Shut, enclose
given, kept, asked = sys.argv[1:]
enclose([Path(given)], [Path(kept)])
for one in json.loads(asked):
    try:
        exec(one)
    except Shut:
        print("shut", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
    else:
        print("open", flush=True)
"""
CASES = {
    "open(given + '/file')": "open", "open(kept + '/new', 'w')": "open", "os.remove(kept + '/file')": "open",
    "open(given + '/file', 'a')": "shut", "open(given + '/../other/file')": "shut",
    "open(given + '/link')": "shut",
    "os.listdir(given + '/..')": "shut", "os.listdir(given)": "open", "open('/proc/self/environ')": "shut",
    "open('/proc/self/root/etc/hostname')": "shut", "open('/proc/self/statm')": "open",
    "import socket; socket.gethostbyname('localhost')": "shut", "os.fork()": "shut",
    "import tempfile; tempfile.TemporaryFile(); tempfile.mkdtemp()": "open",
    "open('/etc/hostname')": "shut", "os.remove(given + '/file')": "shut",
    "os.rename(kept + '/file', given)": "shut",
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')": "shut",
    "import socket; socket.socket().connect(('127.0.0.1', 9))": "shut",
    "import subprocess; subprocess.run(['true'])": "shut", "os.system('true')": "shut",
    "import json.tool, sqlite3": "open",  # its own code may still be imported
}  # fmt: skip
"""What is tried -> whether it is shut, one after the other in one process."""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each."""
    folder = tmp_path_factory.mktemp("walls")
    for name in ("given", "kept", "other"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("x")
    (folder / "given" / "link").symlink_to(folder / "other" / "file")
    words = [sys.executable, "-c", TRY, str(folder / "given"), str(folder / "kept"), json.dumps(list(CASES))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    assert len(said) == len(CASES), done.stderr
    return dict(zip(CASES, said, strict=True))


@pytest.mark.parametrize("asked", CASES)
def test_what_lies_outside_is_shut(asked: str, tried: dict[str, str]) -> None:
    assert tried[asked] == CASES[asked]
