"""Words on a picture: measured before they are set, wrapped, and always in DejaVu, which comes with matplotlib."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from pathlib import Path

import matplotlib
from PIL import ImageFont

_SIZE = 100  # glyphs are measured at this size; widths scale
LEADING = 1.3
"""Height of a line of text in font sizes."""


def font_file(bold: bool) -> str:
    """The font as a file, so that no font is looked up by name."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name)


@functools.cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(bold), _SIZE, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def _known(bold: bool) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_file(bold)).get_charmap())


def legible(text: str, bold: bool = False) -> str:
    """`text` on one line, with a box for every character that the font lacks."""
    plain = " ".join(str(text).split())
    return "".join(c if ord(c) in _known(bold) else "□" for c in plain)


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line of text is, in the unit of `size`."""
    return _length(text, bold) * size / _SIZE


@functools.lru_cache(4096)  # of one picture the same words are asked for many times, and each is shaped anew
def _length(text: str, bold: bool) -> float:
    return _font(bold).getlength(text)


def wrapped(text: str, size: float, room: float, *, bold: bool = False, lines: int = 99) -> list[str]:
    """`text` in lines no wider than `room`; what does not fit into `lines` of them ends in an ellipsis."""
    found: list[str] = []
    line = ""
    for word in _words(legible(text, bold), size, room, bold):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size, bold) > room:
            found.append(line)
            longer = word
        line = longer
    found.append(line)
    if len(found) > lines:
        found = [*found[: lines - 1], shortened(" ".join(found[lines - 1 :]), size, room, bold)]
    return found


def shortened(text: str, size: float, room: float, bold: bool = False) -> str:
    """`text` on one line no wider than `room`, ending in an ellipsis where it was longer."""
    text = legible(text, bold)
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1].rstrip()
    return text + "…"


def _words(text: str, size: float, room: float, bold: bool) -> list[str]:
    """The words of `text`; those wider than a line are broken, after a mark if there is one."""
    found = []
    for word in text.split(" "):
        rest = word
        while width(rest, size, bold) > room and len(rest) > 1:
            fits = next(n for n in range(len(rest) - 1, 0, -1) if n == 1 or width(rest[:n], size, bold) <= room)
            marks = [m.end() for m in re.finditer(r"[-_./:·]", rest[:fits])]
            cut = marks[-1] if marks else fits
            found.append(rest[:cut])
            rest = rest[cut:]
        found.append(rest)
    return found


def readable(name: str) -> str:
    """A method's name as a title: grad_cam -> Grad cam."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def sentence(text: str, names: Collection[str] = ()) -> str:
    """One line as a sentence: with a capital, but that λ and names stay as they are, and a full stop.

    A name is one of those given, and whatever no word is: resnet20, conv1.weight, my_net.
    """
    word = text.split(" ", 1)[0].rstrip(":,")
    name = not word.replace("-", "").isalpha() or any(
        re.match(rf"{re.escape(one)}(?!\w)", text) for one in names if one
    )
    first = text[:1] if name or not text[:1].isascii() else text[:1].upper()
    return f"{first}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def number(value: float) -> str:
    """Three digits, a true minus, no exponent that a person must decode."""
    text = f"{value:.3g}"
    if "e" in text:
        digits, power = text.split("e")
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{digits}·10{raised}"
    return text.replace("-", "−")


def chance(probability: float | None, score: float) -> str:
    """What a network says of a class: its probability, or its own number where there is none."""
    return number(score) if probability is None else percent(probability)


def percent(share: float) -> str:
    """A share of one as people write it."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if share < 0.9995 or share == 1 else ">99.9 %"
