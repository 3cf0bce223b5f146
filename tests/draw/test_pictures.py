"""Pictures as wholes: laid out without overlaps, said in words, saved whole, and leaving no trace in matplotlib."""

from __future__ import annotations

import dataclasses
import functools
import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import pellucid as pl
from pellucid.draw import Picture
from pellucid.draw.sheet import Photo, Rect, Sheet, Words
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.result import Explanation, LabelMap, Predictions, Result, Table
from tests.draw import make

draw = pl.draw.draw


def cross(a: Rect, b: Rect, slack: float = 1.0) -> bool:
    return (
        min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack
    )  # descenders of one line may touch the ascenders of the next


def assert_tidy(picture: Picture) -> None:
    """No words lie over other words or over pictures, and nothing leaves the sheet."""
    words = [mark for mark in picture.sheet.marks if isinstance(mark, Words) and mark.text != "no evidence"]
    photos = [mark for mark in picture.sheet.marks if isinstance(mark, Photo)]
    for i, one in enumerate(words):
        left, top, right, bottom = one.box
        assert left >= -1, one
        assert top >= -1, one
        assert right <= picture.sheet.width + 1, one
        assert bottom <= picture.sheet.height + 1, one
        for other in words[i + 1 :]:
            assert not cross(one.box, other.box), (one, other)
        for photo in photos:
            assert not cross(one.box, photo.box), (one, photo.box)
    for i, photo in enumerate(photos):
        assert photo.box[2] <= picture.sheet.width
        assert photo.box[3] <= picture.sheet.height
        assert not any(cross(photo.box, other.box) for other in photos[i + 1 :])


slow = functools.partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize("long", [True])
@pytest.mark.parametrize(
    ("size", "crop"), [((300, 400), True), ((300, 900), False), ((900, 300), False), ((20, 31), False)]
)
@pytest.mark.parametrize(("classes", "methods"), [(1, 1), slow(1, 3), (3, 2), slow(10, 3), (2, 8)])
def test_explanations_of_every_shape_are_tidy(
    classes: int, methods: int, size: tuple[int, int], crop: bool, long: bool
) -> None:
    picture = draw(make.explanation(classes, methods, size, long=long), crop=crop)
    assert_tidy(picture)
    assert 900 <= picture.sheet.width * picture.sheet.density <= 2201


def test_an_explanation_without_methods_shows_the_guesses() -> None:
    assert_tidy(draw(make.explanation(3, 0)))


def test_rows_of_an_explanation_keep_the_shape_of_the_picture() -> None:
    picture = draw(make.explanation(3, 3, (300, 900)), crop=False)
    photos = [mark for mark in picture.sheet.marks if isinstance(mark, Photo) and mark.pixels.shape[1] > 40]
    assert len(photos) == 1 + 9
    for photo in photos:
        assert photo.pixels.shape[1] / photo.pixels.shape[0] == pytest.approx(3, rel=0.03)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("options", [{}, {"scale": "own"}, {"field": True}, {"dark": True, "view": "magnitude"}])
def test_heatmaps_are_tidy(count: int, options: dict[str, object]) -> None:
    meta = make.META.finding(images=tuple(f"{make.LONG}{i}.jpg" for i in range(count)), score=(1e-9,) * count)
    heat = make.coarse(np.random.default_rng(0).normal(size=(count, 7, 7)), meta=meta)
    assert_tidy(draw(heat, **options))
    pixels = np.zeros((count, 3, 300, 400), dtype=np.float32)
    assert_tidy(draw(heat, over=pl.read([*pixels]), **options))


def test_a_list_of_heatmaps_is_one_row_with_one_scale() -> None:
    heats = [dataclasses.replace(make.coarse(seed=i), meta=make.META.finding(target=f"class {i}")) for i in range(5)]
    picture = draw(heats)
    assert_tidy(picture)
    said = [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]
    assert said.count("0") == 1
    assert "class 4" in said


@pytest.mark.parametrize(
    "result", [make.labels(3), make.labels(12), make.predictions(), make.predictions(10, long=True)]
)
def test_other_kinds_are_tidy(result: Result) -> None:
    assert_tidy(draw(result))
    assert_tidy(draw(result, over=images(), dark=True))


def images(height: int = 300, width: int = 400) -> Images:
    return pl.read(make.photo(height, width))


def test_words_are_as_wide_as_they_were_measured() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    sheet = draw(make.explanation(3, 1, long=True)).sheet
    figure = sheet.figure()
    renderer = FigureCanvasAgg(figure).get_renderer()
    words = [(m, a) for m, a in zip(sheet.marks, figure.artists, strict=True) if isinstance(m, Words)]
    assert len(words) > 20
    for mark, artist in words:
        if len(mark.text) < 12:
            continue
        box = artist.get_window_extent(renderer)
        found = max(box.width, box.height) / sheet.density
        assert found == pytest.approx(max(mark.box[2] - mark.box[0], mark.box[3] - mark.box[1]), rel=0.04)


def test_pixels_reach_the_file_one_for_one() -> None:
    picture = draw(make.coarse(), over=images())
    photo = next(mark for mark in picture.sheet.marks if isinstance(mark, Photo))
    left, top, right, bottom = (round(edge * picture.sheet.density) for edge in photo.box)
    shown = picture.array[top:bottom, left:right]
    assert (shown == photo.pixels).all(axis=-1).mean() > 0.98  # all but the frame


def test_a_map_of_zeros_says_so() -> None:
    picture = draw(make.coarse(np.zeros((1, 7, 7))), over=images(), field=True)
    assert "no evidence" in [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]
    assert "no evidence" in picture.alt
    assert picture.array.ndim == 3


def test_what_is_not_finite_is_said() -> None:
    values = np.full((1, 7, 7), np.nan)
    picture = draw(make.coarse(values))
    assert "no finite value" in picture.alt
    assert any("49 values are not finite" in mark.text for mark in picture.sheet.marks if isinstance(mark, Words))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "jpg", "jpeg", "webp", "PNG"])
def test_pictures_are_saved_in_every_format(tmp_path: Path, suffix: str) -> None:
    picture = draw(make.coarse())
    path = picture.save(tmp_path / f"map.{suffix}")
    assert path == tmp_path / f"map.{suffix}"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    data = path.read_bytes()
    assert b"/home/me" not in data
    if suffix == "pdf":
        assert data.startswith(b"%PDF")
        assert data.rstrip().endswith(b"%%EOF")
        assert b"/FontFile2" in data  # TrueType
        assert b"/Type3" not in data
    elif suffix == "svg":
        root = ElementTree.fromstring(data)
        assert root.tag.endswith("svg")
        written = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
        drawn = [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]
        assert written == drawn  # as text, which can be found and selected
        assert any("tabby" in line for line in written)
    else:
        with Image.open(path) as image:
            image.load()
            assert (image.height, image.width, 3) == picture.array.shape
            if suffix.lower() == "png":
                assert np.array_equal(np.asarray(image), picture.array)
                said = image.info["Description"]
                assert all(part in said for part in ("grad_cam", "tabby", "act2", "ab" * 32, "torch 2.10", "cat.jpg"))
                assert image.info["Title"] == "Grad cam"
            elif suffix != "webp":
                assert "tabby" in image.getexif()[0x010E]


def test_an_unknown_suffix_names_those_that_work(tmp_path: Path) -> None:
    picture = draw(make.coarse())
    for name in ("map.bmpp", "map"):
        with pytest.raises(PellucidError, match=r"\.png.*\.svg.*\.webp"):
            picture.save(tmp_path / name)
    assert not [*tmp_path.iterdir()]
    with pytest.raises(PellucidError, match="cannot write"):
        picture.save(tmp_path / "no" / "folder.png")


def test_a_picture_too_long_for_a_format_is_refused(tmp_path: Path) -> None:
    picture = Picture(Sheet(40.0, 9000.0), "long")
    with pytest.raises(PellucidError, match=r"\.webp.*try \.png"):
        picture.save(tmp_path / "long.webp")
    assert not [*tmp_path.iterdir()]
    with pytest.raises(PellucidError, match="draw fewer"):
        _ = Picture(Sheet(40.0, 40_000.0), "longer").array


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(PellucidError, match="disk full"):
        draw(make.coarse()).save(path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("map.png", b"old")]


@pytest.mark.slow
def test_notebooks_get_small_pictures_with_words() -> None:
    picture = draw(make.explanation(5, 4, long=True))
    page = picture._repr_html_()
    assert len(page) < 1_000_000
    assert 'alt="cat.jpg: ' in page
    assert "data:image/webp;base64," in page
    assert not hasattr(picture, "_repr_png_"), "a notebook would keep it twice"
    assert len(make.coarse()._repr_html_()) < 200_000


def test_predictions_are_a_table_in_notebooks() -> None:
    page = draw(make.predictions(4, long=True))._repr_html_()
    root = ElementTree.fromstring(page)
    assert len(root.findall("tbody/tr")) == 4
    assert "60.0 %" in page


def test_alt_text_says_what_is_seen() -> None:
    values = np.zeros((1, 7, 7))
    values[0, 3, 3] = 2.5
    alt = draw(make.coarse(values)).alt
    for part in ("Grad cam", "tabby", "cat.jpg", "2.5 logit", "50% from the left", "/home"):
        assert (part in alt) is (part != "/home")


def test_the_package_is_called_like_a_function() -> None:
    assert isinstance(pl.draw(make.coarse()), Picture)
    assert isinstance(pl.draw.draw(make.coarse()), Picture)


def test_several_of_a_kind_that_knows_no_lists_lie_below_one_another() -> None:
    table = Table({"a": (1.0, 2.0)}, {"a": "how many"})
    one, two = draw(table), draw([table, table])
    assert_tidy(two)
    assert two.sheet.height == pytest.approx(2 * one.sheet.height, abs=1)
    assert len(two.sheet.marks) == 2 * len(one.sheet.marks)
    high = one.array.shape[0]
    assert np.array_equal(two.array[: high - 2], one.array[:-2])
    assert np.array_equal(two.array[-high + 2 :], one.array[2:])


def test_what_cannot_be_drawn_is_refused_in_one_line() -> None:
    with pytest.raises(PellucidError, match=r"no picture for a dict.*Heatmap"):
        draw({})
    with pytest.raises(PellucidError, match=r"opactiy.*opacity"):
        draw(make.coarse(), opactiy=1)
    with pytest.raises(PellucidError, match="300×400"):
        draw(make.coarse(), over=images(20, 30))
    with pytest.raises(PellucidError, match="over holds 2"):
        draw(make.coarse(), over=images() + images())
    with pytest.raises(PellucidError, match="its own image"):
        draw(make.explanation(), over=images())
    with pytest.raises(PellucidError, match="not whole"):
        draw(dataclasses.replace(make.explanation(3), ranked=make.ranked(2)))
    for empty in (
        make.coarse(np.zeros((0, 7, 7))),
        Predictions(()),
        dataclasses.replace(make.labels(), values=np.zeros((0, 2, 2), dtype=np.int64)),
    ):
        with pytest.raises(PellucidError, match="nothing to draw"):
            draw(empty)
    assert isinstance(make.explanation(), Explanation)
    assert isinstance(make.labels(), LabelMap)


def test_drawing_leaves_no_trace_and_minds_no_style() -> None:
    before = dict(matplotlib.rcParams)
    plain = draw(make.explanation(2, 2), field=True).array
    assert dict(matplotlib.rcParams) == before
    styled = {
        "text.usetex": True, "path.sketch": (3, 50, 2), "figure.facecolor": "black", "text.color": "red",
        "font.family": "serif", "savefig.bbox": "tight", "lines.linewidth": 9, "image.cmap": "jet",
        "figure.autolayout": True, "patch.linewidth": 8, "image.origin": "lower", "savefig.dpi": 20,
    }  # fmt: skip
    with matplotlib.rc_context(styled):
        assert np.array_equal(draw(make.explanation(2, 2), field=True).array, plain)


@pytest.mark.slow
def test_pyplot_is_never_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pellucid as pl; from tests.draw import make;"
        "p = pl.draw(make.explanation(1, 2)); [p.save(sys.argv[1] + '/a.' + s) for s in ('png', 'svg', 'pdf')];"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True, cwd=root)


@pytest.mark.slow
def test_figures_do_not_outlive_their_drawing() -> None:
    heat = make.coarse()
    for _ in range(4):
        assert draw(heat).array.size
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Figure]


@pytest.mark.slow
def test_threads_draw_what_one_thread_draws() -> None:
    heats = [make.coarse(seed=i) for i in range(4)]
    alone = [draw(heat).array for heat in heats]
    with ThreadPoolExecutor(4) as pool:
        together = [*pool.map(lambda heat: draw(heat).array, heats)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
