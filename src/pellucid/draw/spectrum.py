"""Spectra: the density of eigenvalues, the outermost ones with how sure each is, and what was estimated of all."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.axes import TICK, Plot, Span, dot
from pellucid.draw.colors import Floats
from pellucid.draw.curve import WIDE
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, width
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Shape, Sheet, Words
from pellucid.errors import PellucidError
from pellucid.result import Spectrum

_HIGH, _STRIP, _LEFT = 270.0, 58.0, 58.0
_BROAD = 120  # the width of the broadening in the range of eigenvalues
_PLACES = 1200
_FLOOR = 1e-2  # of an eigenvalue: below, a density counts nothing


@drawing(Spectrum)
def draw_spectrum(result: Spectrum, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """How many eigenvalues lie where, on a logarithmic axis; below it the Ritz values with their residuals."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a spectrum is not drawn over images: draw it without over=")
    if not len(result.values) and not len(result.nodes):
        raise PellucidError("the spectrum is empty: there is nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(WIDE + 2 * MARGIN, look.theme.paper)
    about = f"{result.matrix} of {result.parameters:,} parameters".replace(",", " ")
    y = heading(sheet, title, words.below(result.meta, about), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 2
    y = _estimated(sheet, y, result, look)
    ends = [result.nodes, result.values - result.residuals, result.values + result.residuals]
    across = Span.of(np.concatenate([np.asarray(one, np.float64) for one in ends]), False, air=0.04)
    right = sheet.width - MARGIN - 8
    if len(result.nodes):
        y = _density(sheet, y, right, across, result, look)
    if len(result.values):
        y = _ritz(sheet, y, right, across, result, look)
    axis = Plot((MARGIN + _LEFT, y, right, y), across, Span(0.0, 1.0))
    for value, text in axis.x_ticks():
        x = float(axis.places([value], [0.0])[0, 0])
        sheet.line((x, y), (x, y + 3), look.theme.quiet, 0.7)
        sheet.marks.append(Words(x, y + 5 + TICK, text, TICK, look.theme.quiet, align="center"))
    middle = (MARGIN + _LEFT + right) / 2
    y = sheet.lines(middle, y + 20, ["eigenvalue"], BODY, look.theme.quiet, align="center")
    notes = [*_notes(result, across), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + 8, notes, look) + MARGIN
    alt = f"{title}: {_told(result)}"
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def density(result: Spectrum, places: Floats, broad: float) -> Floats:
    """Eigenvalues for each unit of the axis: nodes as Gaussians of that width, their weights times all parameters."""
    away = (places[:, None] - np.asarray(result.nodes)[None]) / broad
    bells = np.exp(-0.5 * away**2) / (broad * np.sqrt(2 * np.pi))
    return np.asarray(result.parameters * (bells @ np.asarray(result.weights)))


def _broad(across: Span) -> float:
    return (across.high - across.low) / _BROAD


def _estimated(sheet: Sheet, y: float, result: Spectrum, look: Look) -> float:
    """Numbers side by side, each above its name; returns where they end."""
    x = MARGIN
    if not result.estimates:
        return y
    y += 4
    for one in result.estimates:
        text = _with_error(one.value, one.error)
        long = max(width(text, BODY + 1.5, True), width(one.name, SMALL)) + 28
        if x + long - 28 > sheet.width - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 36
        end = sheet.lines(x, y, [text], BODY + 1.5, look.theme.ink, bold=True)
        sheet.lines(x, end, [one.name], SMALL, look.theme.quiet)
        x += long
    return y + 42


def _with_error(value: float, error: float) -> str:
    """A number with as many digits as its error leaves."""
    if not error or not np.isfinite([value, error]).all() or abs(value) >= 1e6 or error < 1e-5:
        return f"{number(value)} ± {number(error)}" if error else number(value)
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    return f"{value:.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _density(sheet: Sheet, y: float, right: float, across: Span, result: Spectrum, look: Look) -> float:
    """The density over a logarithmic axis; returns where it ends."""
    theme, broad = look.theme, _broad(across)
    places = np.linspace(across.low, across.high, _PLACES)
    found = density(result, places, broad)
    top = float(found.max()) or 1.0
    low = max(min(_FLOOR / broad, top / 10), top * 1e-12)
    y = sheet.lines(MARGIN, y, ["eigenvalues for each unit of the axis"], BODY, theme.ink, bold=True) + 4
    plot = Plot((MARGIN + _LEFT, y, right, y + _HIGH), across, Span(low, top * 2, True))
    plot.framed(sheet, theme, named=False)
    shown = plot.inside(plot.places(places, np.maximum(found, low)))
    ring = [(float(shown[0, 0]), plot.rect[3]), *map(tuple, shown.tolist()), (float(shown[-1, 0]), plot.rect[3])]
    sheet.marks.append(Shape(tuple(ring), theme.accent, None, opacity=0.22))
    plot.path(sheet, places, np.where(found > low, found, np.nan), theme.accent, 1.6)
    _zero(sheet, plot, look)
    return y + _HIGH + 12


def _zero(sheet: Sheet, plot: Plot, look: Look) -> None:
    if plot.x.low < 0 < plot.x.high:
        x = float(plot.places([0.0], [plot.y.high])[0, 0])
        where = ((x, plot.rect[1]), (x, plot.rect[3]))
        sheet.marks.append(Shape(where, None, look.theme.quiet, 0.9, closed=False, dashes=(2.0, 2.0)))


def _ritz(sheet: Sheet, y: float, right: float, across: Span, result: Spectrum, look: Look) -> float:
    """Ritz values as dots on the axis with their residuals as bars, hollow where they had not converged."""
    theme = look.theme
    plot = Plot((MARGIN + _LEFT, y, right, y + _STRIP), across, Span(0.0, 1.0))
    text = (
        f"the {len(result.values)} outermost, with residuals"
        if len(result.values) > 1
        else "the largest, with its residual"
    )
    sheet.lines(MARGIN + _LEFT + 2, y, [text], SMALL, theme.quiet)
    middle = y + 0.62 * _STRIP
    sheet.line((MARGIN + _LEFT, y + _STRIP), (right, y + _STRIP), theme.quiet, 0.7)
    _zero(sheet, Plot((MARGIN + _LEFT, y + 16, right, y + _STRIP), across, plot.y), look)
    for value, residual, sure in zip(result.values, result.residuals, result.converged, strict=True):
        low, x, high = (float(one) for one in plot.places([value - residual, value, value + residual], [0.5] * 3)[:, 0])
        color = theme.accent if sure else theme.warning
        sheet.line((x, middle - 9), (x, middle + 9), color, 0.8)
        if high - low > 1:
            sheet.line((low, middle), (high, middle), color, 1.4)
            for end in (low, high):
                sheet.line((end, middle - 3), (end, middle + 3), color, 1.0)
        dot(sheet, x, middle, 3.0, color if sure else theme.paper, color, line=1.2)
    return y + _STRIP


def _notes(result: Spectrum, across: Span) -> list[str]:
    """How the picture is to be read."""
    told = []
    if len(result.nodes):
        told.append(f"Density: {len(result.nodes)} nodes of the quadrature as Gaussians of width "
                    f"{number(_broad(across))}, their weights times the number of parameters.")  # fmt: skip
    if len(result.values):
        told.append("Each Ritz value lies within its residual (bar) of an eigenvalue.")
    wanting = len(result.converged) - sum(result.converged)
    if wanting:
        told.append(f"Hollow: {wanting} of {len(result.values)} had not converged to the tolerance.")
    return [" ".join(told)] if told else []


def _told(result: Spectrum) -> str:
    """The spectrum in words."""
    known = [number(float(one)) for one in sorted(result.values)]
    parts = [f"eigenvalues from {known[0]} to {known[-1]}" if known else f"{len(result.nodes)} nodes of the density"]
    parts += [f"{one.name} {_with_error(one.value, one.error)}" for one in result.estimates]
    return "; ".join([*parts, *(one.rstrip(".") for one in result.findings)]) + "."
