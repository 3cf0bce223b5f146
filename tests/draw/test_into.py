"""Drawings in a user's own figure."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Meta, Pictures
from tests.draw import make

View = make.view(60, 80)


def shown(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def test_a_map_lies_in_its_axes_in_pixels_of_the_photo() -> None:
    figure = Figure((4, 4), dpi=50)
    ax = figure.add_subplot()
    heat = make.coarse(of=View)
    colors = pl.draw(heat, make.photo(60, 80), ax=ax)
    assert ax.images[0].get_extent() == [-0.5, 79.5, 59.5, -0.5]
    assert ax.get_title() == "tabby"
    largest = float(np.abs(heat.values).max())
    assert colors.norm.vmax == pytest.approx(largest)
    assert colors.norm.vmin == pytest.approx(-largest)
    assert figure.colorbar(colors, ax=ax) is not None
    assert np.ptp(shown(figure)) > 100


def test_several_maps_want_as_many_axes() -> None:
    figure = Figure((4, 2), dpi=50)
    axes = figure.subplots(1, 2)
    maps = [make.coarse(of=View, seed=i) for i in range(2)]
    colors = pl.draw(maps, ax=axes, scale="own", title="")
    assert [one.norm.vmax for one in colors] == [float(np.abs(one.values).max()) for one in maps]
    assert [ax.get_title() for ax in axes] == ["", ""]
    with pytest.raises(PellucidError, match=r"2 maps and 1 axes.*SubFigure"):
        pl.draw(maps, ax=axes[0])
    with pytest.raises(PellucidError, match="Explanation is more than one axes holds"):
        pl.draw(make.explanation(1, 1), ax=axes[0])
    with pytest.raises(PellucidError, match="ax=str"):
        pl.draw(maps, ax="here")
    with pytest.raises(PellucidError, match="opacty"):
        pl.draw(maps[0], ax=axes[0], opacty=1)


def test_pictures_lie_in_axes() -> None:
    figure = Figure((4, 2), dpi=50)
    ax = figure.add_subplot()
    pl.draw(Pictures(make.photo(8, 8)[None], ("snow",), meta=Meta()), ax=ax)
    assert ax.get_title() == "snow"
    assert np.array_equal(ax.images[0].get_array(), make.photo(8, 8))


def test_a_subfigure_takes_a_whole_drawing_in_proportion() -> None:
    figure = Figure((8, 4), dpi=50)
    left, right = figure.subfigures(1, 2)
    assert pl.draw(make.explanation(1, 1), ax=right) is right
    assert not left.findobj(Text)
    assert any(text.get_text() == "Why “tabby”?" for text in right.findobj(Text))
    pixels = shown(figure)
    assert (pixels[:, :200] == 255).all()  # the left half is somebody else's
    assert np.ptp(pixels[:, 200:]) > 100


def test_a_figure_of_the_sheets_own_size_shows_what_is_saved() -> None:
    picture = pl.draw(make.coarse(of=View))
    figure = Figure((picture.sheet.width / 100, picture.sheet.height / 100), dpi=200, facecolor=picture.sheet.paper)
    pl.draw(make.coarse(of=View), ax=figure)
    found = shown(figure)
    high, wide = (min(found.shape[k], picture.array.shape[k]) for k in (0, 1))
    apart = np.abs(found[:high, :wide].astype(int) - picture.array[:high, :wide])
    assert apart.mean() < 3
