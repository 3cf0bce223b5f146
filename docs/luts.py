"""Writes the explorer's tables of colors, `web/ui/src/luts.ts`, from those of the drawings."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from pellucid.draw.colors import diverging, sequential

FILE = Path(__file__).parents[1] / "web" / "ui" / "src" / "luts.ts"
_HEAD = """// Made by docs/luts.py from pellucid.draw.colors: 513 colors of 3 bytes each.

const unpacked = (text: string): Uint8Array => Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
"""


def text() -> str:
    """The file."""
    parts = [_HEAD]
    for name, colors in (("diverging", diverging), ("sequential", sequential)):
        for how in ("Light", "Dark"):
            table = base64.b64encode(np.rint(255 * colors(how == "Dark")).astype(np.uint8).tobytes()).decode()
            parts.append(f"const {name}{how} = unpacked(\n  '{table}',\n)")
        parts.append(f"export const {name} = (dark: boolean): Uint8Array => (dark ? {name}Dark : {name}Light)")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
