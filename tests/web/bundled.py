"""Code of the page, run by Node without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

UI = Path(__file__).parents[2] / "web" / "ui"
_BUNDLER = UI / "node_modules" / ".bin" / "rolldown"
needs_node = pytest.mark.skipif(
    not shutil.which("node") or not _BUNDLER.exists(), reason="the page's tools are not installed"
)


def ran(module: str, script: str, given: Any, folder: Path) -> Any:
    """What `script` says of what it is `given`; `page` is a module of the page, such as map/data.ts."""
    built = [str(_BUNDLER), str(UI / "src" / module), "--file", str(folder / "page.mjs"), "--format", "esm"]
    subprocess.run(built, check=True, capture_output=True, cwd=UI)
    run = folder / "run.mjs"
    begin = "import * as page from './page.mjs'\nimport { readFileSync } from 'node:fs'\n"
    begin += "const given = JSON.parse(readFileSync(0, 'utf8'))\n"
    run.write_text(f"{begin}console.log(JSON.stringify((() => {{{script}}})()))\n")
    out = subprocess.run(["node", str(run)], input=json.dumps(given), check=True, capture_output=True, text=True)
    return json.loads(out.stdout)
