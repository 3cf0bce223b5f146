"""A page of the explorer as one HTML file: its script, its styles, and the answers that it shows. It asks nobody.

Whoever has answers makes such pages: the explorer's server of what is open in a browser, a report of a folder, and
`draw` of a map. Nothing here imports numpy, for the server has none.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pellucid import __version__
from pellucid.errors import PellucidError

_BUILT = Path(__file__).with_name("built")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {script_hash}; \
style-src {style_hash}; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{about}<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<script type="application/json" id="saved">{saved}</script>
<script>{script}</script>
</body>
</html>
"""


def exported(
    title: str, route: str, records: Mapping[str, Any], *, about: str = "", dark: bool | None = None, dated: bool = True
) -> str:
    """The file. `route` is the page, `#/compare/s-panda?…`; `records` are the answers by what was asked, each
    {"json": …}, {"bytes": base64, "type": …} or {"lines": […]}. `about` says in words what it shows; `dark` are the
    colors that it opens with, else those of whoever opens it; `dated` says when it was made.
    """
    script, style = _in_html(_read("page.js")), _read("page.css")
    made = datetime.now(UTC).date().isoformat() if dated else None
    saved = {"version": __version__, "made": made, "hash": route, "title": title, "dark": dark, "records": records}
    described = f'<meta name="description" content="{html.escape(about)}">\n' if about else ""
    return _PAGE.format(
        title=html.escape(title), about=described, script=script, style=style, saved=_escaped(saved),
        script_hash=_hash(script), style_hash=_hash(style),
    )  # fmt: skip


def as_json(value: Any) -> dict[str, Any]:
    """An answer that is JSON."""
    return {"json": value}


def as_bytes(content: bytes, kind: str = "application/octet-stream") -> dict[str, Any]:
    """An answer that is bytes."""
    return {"bytes": base64.b64encode(content).decode(), "type": kind}


def _read(name: str) -> str:
    file = _BUILT / name
    if not file.is_file():
        raise PellucidError("this installation lacks the pages that are taken away: install pellucid again")
    return file.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _in_html(script: str) -> str:
    """A script within a page: what would end it, or begin a comment, is written in another way."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", script, flags=re.IGNORECASE)


def _escaped(value: Any) -> str:
    """JSON that holds nothing that a page would read as its own."""
    said = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        said = said.replace(sign, f"\\u{ord(sign):04x}")
    return said
