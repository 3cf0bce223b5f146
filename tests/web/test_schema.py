"""The API as its own description says it, with whatever fits that description and whatever does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import LAYER
from tests.web.served import Served

pytestmark = pytest.mark.slow

SECONDS = 16
REAL = {
    "path.net": "n0", "path.image": "s-panda", "path.layer": LAYER, "path.channel": 17, "path.index": "i0",
    "path.part": "top", "query.image": "s-panda", "query.layer": LAYER, "query.net": "n0", "query.client": "a",
}  # fmt: skip
"""Names of what is there: with others every answer would be that there is no such thing."""


@pytest.mark.parametrize("known", [True, False], ids=["with real names", "with any names"])
def test_no_request_fails_inside(known: bool, full: Served, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    server, config = full, tmp_path / "schemathesis.toml"
    lines = list(full.lines("api/ask", {"method": "gradient", "nouns": {"images": "s-panda"}, "long": True}))
    found = {"path.job": lines[0]["job"], "path.key": next(one["key"] for one in lines if "key" in one)}
    given = "".join(f'"{name}" = {value!r}\n' for name, value in (REAL | found).items())
    numbered = (
        '[[operations]]\ninclude-path = "/api/indexes/{index}/pictures/{image}"\nparameters = {"path.image" = 3}\n'
    )
    config.write_text(f"[parameters]\n{given}{numbered}" if known else "")
    words = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(config), "run",
        f"{server.link}api/openapi.json", "-u", server.link.rstrip("/"), "-H", "X-Pellucid: 1",
        "--checks", "not_a_server_error", "--max-time", str(SECONDS if known else SECONDS // 2),
        "--phases", "examples,coverage,fuzzing", "--seed", "7", "--continue-on-failure", "--no-color",
        "--generation-database", "none", "--request-timeout", "60", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ})
    assert done.returncode == 0, (done.stdout + done.stderr)[-12000:]
    assert server.ready()["lost"] == 0
    failures = server.failures()
    assert not failures, failures[-6000:]
