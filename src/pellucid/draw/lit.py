"""Parts of pictures of blocks: the photo where a map is strong, all blocks in their colors, cards and bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.draw.colors import Floats, Scale, diverging, reach
from pellucid.draw.heatmaps import SMALL
from pellucid.draw.letters import number
from pellucid.draw.look import Look
from pellucid.draw.overlay import Window, eight_bit, gray, overlaid, photograph, sampled
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Pixels, Rect, Sheet
from pellucid.geometry import Placement, View
from pellucid.result.blocks import BlockLayer, Blocks

_DARK = 0.36  # of the light where a block is not
_CLIPPED = 99.5  # percentile of a map where its colors end


def card(
    sheet: Sheet, left: float, top: float, side: float, photo: Pixels, layer: BlockLayer, k: int, color: str,
    look: Look,
) -> Rect:  # fmt: skip
    """The picture of a block, and the photo lit where it is, in a frame of its color; returns where both lie."""
    x, rect = left, (left, top, left, top + side)
    if layer.pictures is not None:
        rect = sheet.photo(x, top, _square(layer.pictures[0, k], sheet.pixels(side)))
        x = rect[2] + 4
    seen = sheet.photo(x, top, lit(photo, layer.values[0, k], layer.placement, sheet.pixels(side), look))
    for one in (rect, seen):
        if one[2] > one[0]:
            sheet.box((one[0] + 1, one[1] + 1, one[2] - 1, one[3] - 1), edge=color, line=2.0)
    return left, top, seen[2], seen[3]


def _square(picture: Pixels, side: int) -> Pixels:
    found = fitted_pixels(picture, side)
    return found[:side, :side]


def _strength(photo: Pixels, values: Floats, placement: Placement, shape: tuple[int, int]) -> Floats:
    """How strong the numbers of a map are at device pixels, without their signs, 0..1."""
    high, wide = photo.shape[:2]
    window = Window((0.0, 0.0, float(high), float(wide)), shape)
    sizes = np.abs(values)
    most = float(sizes.max())
    found = sampled(sizes, placement, View.whole(high, wide), window, "cubic").values
    return np.asarray((found / most).clip(0, 1)) if most else np.zeros(shape)


def _shape(photo: Pixels, side: int) -> tuple[int, int]:
    high, wide = photo.shape[:2]
    return max(round(high * side / max(high, wide)), 1), max(round(wide * side / max(high, wide)), 1)


def _ground(photo: Pixels, shape: tuple[int, int]) -> Floats:
    colors = photo if photo.shape[-1] == 3 else photo[..., :1].repeat(3, axis=-1)
    return photograph(colors, Window((0.0, 0.0, *map(float, photo.shape[:2])), shape))  # type: ignore[arg-type]


def lit(photo: Pixels, values: Floats, placement: Placement, side: int, look: Look) -> Pixels:
    """The photo where a map (rows, columns) is strong; elsewhere dark and gray, as no photo is."""
    shape = _shape(photo, side)
    shown, light = _ground(photo, shape), _strength(photo, values, placement, shape)[..., None] ** 0.8
    return eight_bit(shown * light + gray(shown, look.theme) * _DARK * (1 - light))


def heated(photo: Pixels, values: Floats, placement: Placement, side: int, look: Look) -> Pixels:
    """The photo in gray under a signed map (rows, columns): orange-red above zero, blue below."""
    shape = _shape(photo, side)
    high, wide = photo.shape[:2]
    window = Window((0.0, 0.0, float(high), float(wide)), shape)
    found = sampled(values, placement, View.whole(high, wide), window, "cubic")
    scale = Scale(reach(np.asarray(values, np.float64), _CLIPPED), "signed", diverging(look.dark))
    return overlaid(_ground(photo, shape), found, scale, look.theme, 0.85)


def colored(photo: Pixels, layer: BlockLayer, colors: Sequence[str], side: int, look: Look) -> Pixels:
    """The photo in gray under the colors of its blocks, each as strong as the block is there."""
    shape = _shape(photo, side)
    shown, each = gray(_ground(photo, shape), look.theme), []
    for k in range(len(colors)):
        each.append(_strength(photo, layer.values[0, k], layer.placement, shape))
    light = np.stack(each)
    share = light**3 / np.maximum((light**3).sum(0), 1e-9)  # the strongest wins, with soft borders
    paint = np.einsum("khw,kc->hwc", share, np.array([_rgb(one) for one in colors]))
    cover = 0.75 * light.max(0)[..., None] ** 0.8
    return eight_bit(shown * (1 - cover) + paint * cover * (0.45 + 0.55 * shown))


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _hex(color: Floats) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in color)


def signs(look: Look) -> tuple[str, str]:
    """The colors of what adds to the score, and of what takes from it."""
    table = diverging(look.dark)
    return _hex(table[-60]), _hex(table[60])


def largest(result: Blocks) -> float:
    """The largest share or residual of any layer."""
    return max(
        max(float(np.abs(one.shares).max(initial=0)), float(np.abs(one.residual).max())) for one in result.layers
    )


def plus(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def bar(sheet: Sheet, left: float, top: float, room: float, value: float, most: float, color: str, look: Look) -> float:
    """A share as a bar from zero, with its number; returns where it ends."""
    said = plus(value)
    free = room - 52
    long = free * abs(value) / most if most else 0.0
    sheet.box((left, top + 1, left + free, top + 10), fill=look.theme.faint, opacity=0.4)
    if value < 0:
        sheet.box((left + free - long, top + 1, left + free, top + 10), fill=color, opacity=0.45)
    else:
        sheet.box((left, top + 1, left + long, top + 10), fill=color)
    sheet.lines(left + room, top - 1, [said], SMALL + 0.5, look.theme.ink, bold=True, align="right")
    return top + 12


def rest_of(result: Blocks, layer: BlockLayer) -> list[tuple[str, float]]:
    """What of the score the layer's attribution does not hold, under its name; nothing where no score is known."""
    if layer.empty is not None:
        return [("with the layer at zero", float(layer.empty[0]))]
    if not result.meta.score:
        return []
    return [("biases and bends behind", float(result.meta.score[0]) - float(layer.total[0]))]


def largest_share(result: Blocks) -> float:
    """The largest share of any block, by magnitude."""
    return max(float(np.abs(one.shares).max(initial=0)) for one in result.layers)
