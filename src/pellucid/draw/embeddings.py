"""Maps of images: small pictures where they lie, or in a full grid with seams; and what the map keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from pellucid.draw import words
from pellucid.draw.colors import Theme, distinct
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, percent, shortened, width
from pellucid.draw.look import Look
from pellucid.draw.page import page_of
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Embedding2D

_WIDE = 900.0
_MOST = 24  # classes that get a color of their own
_SEAM = 88.0  # percentile of the distances between neighbors from where they are seams
_NEW = "#d9480f"  # what stands out: seams, and images that are new
_GRID = 250  # rows or columns: smaller cells are no pictures


@drawing(Embedding2D)
def draw_places(
    result: Embedding2D, over: Any = None, *, title: str | None = None, dark: bool = False,
    grid: Annotated[bool, Field(description="draw all images in a grid, a cell for each")] = False,
    seams: Annotated[bool, Field(description="draw borders in the grid between neighbors that are far apart")] = True,
    colors: Annotated[bool, Field(description="frame images by the color of their class, up to 24 classes")] = True,
) -> Picture:  # fmt: skip
    """The images where they lie, those as dots that others would cover; or with `grid` all of them, a cell for each.

    `seams` are drawn between neighbors in the grid that are far apart; `colors` frame the images by class, where
    there are up to 24. New images that were placed on a map are drawn large, framed and numbered over it.
    """
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("the map is empty: there is nothing to draw")
    whole = result.reference or result
    if grid and (result.grid is None or max(result.grid.sides) > _GRID):
        why = "images placed on a map" if result.grid is None else f"{len(result)} images"
        raise PellucidError(f"{why} are not drawn as a grid: draw without grid, or save .html")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(_WIDE + 2 * MARGIN, look.theme.paper)
    asked = result.meta.options.get("method", "")
    below = [
        f"layer {result.meta.layer}" if result.meta.layer else "",
        _NAMES.get(asked, ""),
        unplaced(result.meta.net),
    ]
    y = heading(sheet, title, " · ".join(filter(None, below)), look)
    frames = framed(whole, look.theme) if colors else {}
    made = _grid if grid else _scattered
    pixels, said = made(whole, sheet.pixels(_WIDE), frames, look, seams)
    rect = sheet.photo(MARGIN, y, pixels)
    if result.reference is not None:
        _placed(sheet, rect, result, look)
    y = _legend(sheet, rect[3] + 8, frames, look)
    notes = [kept(whole), said, *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + 4, [*filter(None, notes)], look) + MARGIN
    alt = f"{title}: {len(result)} images{_on(result)}. {kept(whole)}".strip()
    page = None
    if result.reference is None:
        page = partial(page_of, result, title, alt, dark=dark, grid=grid, seams=seams, colors=colors)
    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)


_NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "principal components", "ica": "independent components"}


def kept(result: Embedding2D) -> str:
    """What the map keeps of who is near whom, in words."""
    q = result.quality
    if not q:
        return ""
    near = max(min(10, (len(result.reference if result.reference is not None else result.values) - 1) // 2), 1)
    return (
        f"Of the {near} nearest images {percent(q['recall'])} are among the {near} nearest on the map; trust "
        f"{number(q['trust'])}, continuity {number(q['continuity'])} (1: no false and no missing neighbors); "
        f"rank correlation of all distances {number(q['rank'])}."
    )


def _on(result: Embedding2D) -> str:
    return "" if result.reference is None else f" on a map of {len(result.reference)}"


def framed(result: Embedding2D, theme: Theme) -> Mapping[str, str]:
    """A color for each class, the most frequent first; none where there are more than can be told apart."""
    counts = Counter(label for label in result.labels if label is not None).most_common()
    if len(counts) > _MOST:
        return {}
    return dict(zip((name for name, _ in counts), distinct(len(counts), theme.dark), strict=True))


def on_canvas(values: NDArray[Any], size: tuple[int, int], margin: float | int) -> NDArray[np.float64]:
    """Places as (x, y) in pixels of a canvas (width, height), one scale for both."""
    low, high = values.min(0), values.max(0)
    span = np.maximum(high - low, 1e-12)
    scale = ((np.array(size) - 2 * margin) / span).min()
    free = np.array(size) - scale * span
    return np.asarray((values - low) * scale + free / 2)


def _scattered(
    result: Embedding2D, wide: int, frames: Mapping[str, str], look: Look, seams: bool
) -> tuple[Pixels, str]:
    """Every image at its place, as a picture where that covers no other, else as a dot; and what is said of it."""
    span = np.maximum(result.values.max(0) - result.values.min(0), 1e-12)
    high = round(wide * float(np.clip(span[1] / span[0], 0.5, 1.1)))
    side = _side(result, wide, high)
    at = on_canvas(result.values, (wide, high), side / 2 + 4)
    canvas = np.empty((high, wide, 3), np.uint8)
    canvas[:] = np.round(255 * look.theme.ground)
    small, apart = _sized(result.thumbnails, side), _apart(at[result.thumbnail_rows], side + 5)
    for k in apart:
        i = int(result.thumbnail_rows[k])
        _paste(canvas, small[k], at[i], _rgb(frames.get(result.labels[i] or "", look.theme.paper)))
    bare = np.setdiff1d(np.arange(len(result)), result.thumbnail_rows[apart])
    _dots(canvas, at, bare, result, frames, look)
    more = "" if result.grid is None else "; a grid shows all"
    return canvas, f"Dots: {len(bare)} images that would cover others, or are not at hand{more}." if len(bare) else ""


def _side(result: Embedding2D, wide: int, high: int) -> int:
    """Of an image on a canvas, in pixels."""
    return int(np.clip(0.6 * (wide * high / max(len(result.thumbnail_rows), 1)) ** 0.5, 26, 130))


def _dots(
    canvas: Pixels, at: NDArray[np.float64], bare: NDArray[np.int64], result: Embedding2D, frames: Mapping[str, str],
    look: Look,
) -> None:  # fmt: skip
    """A dot for every image that is not drawn, with a rim, as it may lie on one that is."""
    x, y = np.rint(at[bare]).astype(int).T
    colors = np.array([_rgb(frames.get(result.labels[i] or "", look.theme.quiet)) for i in bare]).reshape(-1, 3)
    rim = np.broadcast_to(_rgb(look.theme.paper), colors.shape)
    for reach, painted in ((3, rim), (2, colors)):
        for down in range(-reach, reach + 1):
            for across in range(-reach, reach + 1):
                rows, columns = (y + down).clip(0, canvas.shape[0] - 1), (x + across).clip(0, canvas.shape[1] - 1)
                canvas[rows, columns] = painted


def _apart(at: NDArray[np.float64], side: float | int) -> list[int]:
    """Of images of that side around points, those that are drawn: none covers another, as many as the first allow."""
    taken: dict[tuple[int, int], list[int]] = {}
    found = []
    for k, (x, y) in enumerate(at):
        row, column = int(y // side), int(x // side)
        near = (j for r in (-1, 0, 1) for c in (-1, 0, 1) for j in taken.get((row + r, column + c), ()))
        if all(max(abs(at[j][0] - x), abs(at[j][1] - y)) >= side for j in near):
            found.append(k)
            taken.setdefault((row, column), []).append(k)
    return found


def _paste(canvas: Pixels, small: Pixels, at: NDArray[np.float64], frame: NDArray[np.uint8], line: int = 2) -> None:
    """A framed image around a point, cut at the canvas' edge."""
    side = small.shape[0]
    left, top = (round(float(one) - side / 2) for one in at)
    for grown, pixels in ((line, frame), (0, small)):
        y0, y1 = max(top - grown, 0), min(top + side + grown, canvas.shape[0])
        x0, x1 = max(left - grown, 0), min(left + side + grown, canvas.shape[1])
        if y0 < y1 and x0 < x1:
            canvas[y0:y1, x0:x1] = pixels if pixels.ndim == 1 else pixels[y0 - top : y1 - top, x0 - left : x1 - left]


def _grid(result: Embedding2D, wide: int, frames: Mapping[str, str], look: Look, seams: bool) -> tuple[Pixels, str]:
    """A cell for every image, and what is said of it."""
    if result.grid is None:
        raise PellucidError("these images have no grid")
    rows, columns = result.grid.sides
    gap = 0 if max(rows, columns) > 60 else 2
    cell = max(wide // columns, 3)
    side = cell - gap
    canvas = np.empty((rows * cell, columns * cell, 3), np.uint8)
    canvas[:] = np.round(255 * look.theme.ground)
    small = dict(zip(result.thumbnail_rows.tolist(), _sized(result.thumbnails, side), strict=True))
    for i, (row, column) in enumerate(result.grid.cells.tolist()):
        top, left = row * cell, column * cell
        plain = _rgb(frames.get(result.labels[i] or "", look.theme.faint))
        canvas[top : top + side, left : left + side] = small.get(i, plain)
    if not seams:
        return canvas, ""
    _seamed(canvas, result.grid.seams, cell, gap, look.theme)
    return canvas, "Seams: borders between neighbors that are far apart in the layer, the thicker the farther."


def _seamed(canvas: Pixels, seams: NDArray[np.float64], cell: int, gap: int, theme: Theme) -> None:
    """Lines between neighbors that are far apart."""
    known = seams[np.isfinite(seams)]
    if not known.size:
        return
    low, high = np.percentile(known, [_SEAM, 99.5])
    if high <= low:  # all borders are equal
        return
    ink = _rgb(_NEW)
    for row, column, way in np.argwhere(seams >= low):
        share = min((seams[row, column, way] - low) / max(high - low, 1e-12), 1.0)
        half = max((0.03 + 0.07 * share) * cell, 1.0) / 2
        y, x = row * cell, column * cell
        middle = (x if way == 0 else y) + cell - gap / 2
        a, b = round(middle - half), max(round(middle + half), round(middle - half) + 1)
        if way == 0:
            canvas[max(y - 1, 0) : y + cell, a:b] = ink
        else:
            canvas[a:b, max(x - 1, 0) : x + cell] = ink


def _placed(sheet: Sheet, rect: tuple[float, float, float, float], result: Embedding2D, look: Look) -> None:
    """New images over the map that they were placed on."""
    ground = result.reference
    if ground is None:
        return
    photo: Any = sheet.marks[-1]
    pixels = photo.pixels
    span = np.maximum(ground.values.max(0) - ground.values.min(0), 1e-12)
    high, wide = pixels.shape[:2]
    side = _side(ground, wide, high)
    low = ground.values.min(0)
    scale = ((np.array([wide, high]) - side - 8) / span).min()
    at = (result.values - low) * scale + (np.array([wide, high]) - scale * span) / 2
    paper = np.round(255 * look.theme.ground)
    pixels[:] = np.round(0.5 * pixels + 0.5 * paper).astype(np.uint8)
    large = max(2 * side, 110)
    shown = _sized(result.thumbnails, large)
    at = at.clip(large / 2 + 6, np.array([wide, high]) - large / 2 - [6, 34])
    for k in range(len(result)):
        _paste(pixels, shown[k], at[k], _rgb(_NEW), line=5)
    for k, (x, y) in enumerate(at / sheet.density):
        label = shortened(unplaced(result.names[k]), SMALL, 220.0, True)
        room = width(label, SMALL, True) + 8
        left = min(max(rect[0] + x - room / 2, rect[0]), rect[2] - room)
        top = rect[1] + y + large / 2 / sheet.density
        sheet.box((left, top, left + room, top + 14), fill=_NEW)
        sheet.lines(left + 4, top + 1, [label], SMALL, "#ffffff", bold=True)


def _legend(sheet: Sheet, y: float, frames: Mapping[str, str], look: Look) -> float:
    """The classes and their colors, in lines."""
    x, size = MARGIN, SMALL
    for name, color in frames.items():
        said = shortened(name, size, 180.0)
        wide = 14 + width(said, size) + 14
        if x > MARGIN and x + wide > sheet.width - MARGIN:
            x, y = MARGIN, y + 15
        sheet.box((x, y + 1, x + 10, y + 11), fill=color)
        sheet.lines(x + 14, y, [said], size, look.theme.ink)
        x += wide
    return y + 18 if frames else y


def _sized(thumbnails: NDArray[np.uint8], side: int) -> Sequence[Pixels]:
    return [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.LANCZOS)) for one in thumbnails]


def _rgb(color: str) -> NDArray[np.uint8]:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
