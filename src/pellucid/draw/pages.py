"""Pages that work from disk: a template in which what a page is called and all that it knows are filled in."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_HEAD = "head.html"
"""What may be loaded, which is nothing, the colors of both themes, and the forms of what most pages have."""


def filled(template: str, said: Mapping[str, str], data: Mapping[str, Any], *, dark: bool) -> bytes:
    """The page of a template of this folder, after the head that all have. `said` are its texts, such as TITLE, ABOUT
    and ALT; `data` becomes JSON that cannot end the script it stands in.
    """
    packed = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    texts = {name: html.escape(text, quote=True) for name, text in said.items()}
    texts |= {"THEME": "dark" if dark else "light", "DATA": packed.replace("<", "\\u003c")}
    page = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in (_HEAD, template))
    return re.sub("@([A-Z]+)@", lambda found: texts.get(found[1], found[0]), page).encode()


def sheet_of(pictures: NDArray[np.uint8], across: int) -> str:
    """Small pictures (N, side, side, 3) side by side, so many in a row, as JPEG in base64."""
    count, side = len(pictures), pictures.shape[1]
    rows = -(-count // across)
    sheet = np.zeros((rows * side, min(count, across) * side, 3), np.uint8)
    for k, picture in enumerate(pictures):
        top, left = k // across * side, k % across * side
        sheet[top : top + side, left : left + side] = picture
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=85)
    return base64.b64encode(buffer.getvalue()).decode()
