"""What a notebook shows of values that are no results: plain HTML, made without whatever draws pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line names the columns of a table before numpy is there
    import numpy as np
    from jaxtyping import UInt8

LAYERS = ("layer", "kind", "shape", "kernel", "stride", "field", "jump", "start", "parameters")
"""What is said of each layer of a network; field, jump and start are in pixels of its input."""

_SIDE, _QUALITY = 112, 85


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Rows of cells; without a `head` the first cell of each row names the second."""
    top = f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(_cell(one, i, bool(head)) for i, one in enumerate(row))}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _cell(value: object, i: int, headed: bool) -> str:
    kind = "th" if i == 0 and not headed else "td"
    return f'<{kind} style="text-align:left">{escape(str(value))}</{kind}>'


def strip(pictures: Iterable[UInt8[np.ndarray, "h w 3"]], names: Sequence[str], more: int = 0) -> str:
    """Small pictures beside one another with their names below, and how many more there are."""
    parts = [_thumbnail(one, name) for one, name in zip(pictures, names, strict=True)]
    rest = f'<div style="align-self:center">and {more} more</div>' if more else ""
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(parts)}{rest}</div>'


def _thumbnail(picture: UInt8[np.ndarray, "h w 3"], name: str) -> str:
    from PIL import Image

    small, buffer = Image.fromarray(picture), io.BytesIO()
    small.thumbnail((2 * _SIDE, 2 * _SIDE), Image.Resampling.LANCZOS)
    small.save(buffer, "WEBP", quality=_QUALITY)
    data, called = base64.b64encode(buffer.getvalue()).decode(), escape(name, quote=True)
    return (
        f'<figure style="margin:0;width:{_SIDE}px"><img alt="{called}" style="max-width:100%" '
        f'src="data:image/webp;base64,{data}"><figcaption style="font-size:85%;overflow-wrap:anywhere">{called}'
        "</figcaption></figure>"
    )
