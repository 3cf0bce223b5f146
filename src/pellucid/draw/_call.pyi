"""`pellucid.draw` as type checkers see it; there is no such module when it runs."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure, SubFigure
from pellucid.draw.picture import Picture
from pellucid.images import ImagesLike
from pellucid.result.activations import ActivationMaps
from pellucid.result.atlas import Atlas
from pellucid.result.audit import Audit
from pellucid.result.base import Result
from pellucid.result.blocks import Blocks
from pellucid.result.captions import Captions
from pellucid.result.cases import Cases
from pellucid.result.colors import ColorSelectivity
from pellucid.result.curve import Curve
from pellucid.result.decision_tree import DecisionTree
from pellucid.result.embedding import Embedding2D
from pellucid.result.grid import Grid
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.result.mistakes import Mistakes
from pellucid.result.neighbors import Neighbors
from pellucid.result.pair import Pair
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures
from pellucid.result.predictions import Explanation, Predictions
from pellucid.result.projections import Projections
from pellucid.result.prototypes import Prototypes
from pellucid.result.receptive import ReceptiveFields
from pellucid.result.report import Report
from pellucid.result.review import Review
from pellucid.result.spectrum import Spectrum
from pellucid.result.study import Study
from pellucid.result.surface import Surface
from pellucid.result.suspects import Suspects
from pellucid.result.table import Table
from pellucid.result.tour import Tour
from pellucid.result.unit_page import UnitPage
from pellucid.result.weights import Filters
from typing import Any, Literal, overload

@overload
def draw(
    result: Atlas,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    names: bool = True,
) -> Picture:
    """Every cell's picture in its place, and with `names` the class that it speaks for most."""

@overload
def draw(
    result: Audit,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """How much was found of each kind, with the pictures of the first findings; saved as .html it is a page on which
    every image is decided about.
    """

@overload
def draw(
    result: Blocks,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """Each image by itself: its groups with picture, map and share, and the ways between them."""

@overload
def draw(
    result: Captions,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """Each image with its sentence; its parts from left to right, the maps of each below it."""

@overload
def draw(
    result: Cases,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The image with its answer on the left, a row of training images for each layer or direction on the right."""

@overload
def draw(
    result: Curve,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    log: bool | None = None,
) -> Picture:
    """A plot for each quantity, one below the other; failed checks and findings above them.

    Lines of one group have one color; dashed is what is compared with, faint one of many repetitions. The names stand
    at the ends of the lines, or below where there are too many.
    """

@overload
def draw(
    result: DecisionTree,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The tree from the root on the left to the leaves on the right; lines are as thick as many images take them.

    Of a hierarchy of classes it is a dendrogram, and lines are as thick as probable for the one image that was asked.
    """

@overload
def draw(
    result: Embedding2D,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    grid: bool = False,
    seams: bool = True,
    colors: bool = True,
) -> Picture:
    """The images where they lie, those as dots that others would cover; or with `grid` all of them, a cell for each.

    `seams` are drawn between neighbors in the grid that are far apart; `colors` frame the images by class, where
    there are up to 24. New images that were placed on a map are drawn large, framed and numbered over it.
    """

@overload
def draw(
    result: Explanation,
    over: ImagesLike | None = None,
    *,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "common",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = True,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
    photo: Literal["coarse", "all", "none"] = "coarse",
) -> Picture:
    """Photo, guesses, and the maps of every method for every guess; one scale in each row.

    `photo` says which maps lie over the photo: coarse ones, all, or none. The maps show what the network saw;
    `crop=False` shows the whole photo in every panel.
    """

@overload
def draw(
    result: Sequence[Explanation],
    over: ImagesLike | None = None,
    *,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "own",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = False,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """The first question of each explanation: photos on top, then a row of maps for each method that all share.

    Images differ in their scores, so each map has its own scale unless `scale` says otherwise.
    """

@overload
def draw(
    result: Filters,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    scale: Literal["common", "own"] | None = None,
    panels: Literal["rgb", "channels"] = "rgb",
    page: int = 1,
) -> Picture:
    """The filters of a page in a grid, each above its number. Raises PellucidError for `over`, and for a page that is
    not there.
    """

@overload
def draw(
    result: Grid,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """A cell for each row and column; small grids say their numbers."""

@overload
def draw(
    result: Heatmap | Sequence[Heatmap],
    over: ImagesLike | None = None,
    *,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "common",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = False,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """The maps of all images of one heatmap, or of several, in rows of up to five."""

@overload
def draw(
    result: ColorSelectivity,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """A row for each layer: its wheel, its numbers, and its most color-selective neuron features by hue."""

@overload
def draw(
    result: LabelMap,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    opacity: float = 0.6,
    crop: bool = False,
    dark: bool = False,
) -> Picture:
    """All images of a label map, and a legend with the share of each class."""

@overload
def draw(
    result: ActivationMaps,
    over: ImagesLike | None = None,
    *,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Any = "own",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = True,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """All maps; with `over` they lie on the photos, on the part that the network saw unless crop=False.

    The other options are those of `Look`.
    """

@overload
def draw(
    result: Mistakes,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The image, where it speaks for the answer rather than for its class, the causes; below it training images."""

@overload
def draw(
    result: Neighbors,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """A row for each image: itself, a line, and those most like it with their similarities."""

@overload
def draw(
    result: Pair,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The image and the other with the exchanged regions outlined, in both under the same number; the regions pasted as
    pixels; and the probabilities after each exchange.
    """

@overload
def draw(
    result: Panel,
    over: ImagesLike | None = None,
    *,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "common",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = False,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """All parts of every image side by side; the maps of one part have one scale for all images."""

@overload
def draw(
    result: Patches,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """Every patch beside the image that it comes from, outlined there, with its activation and its class."""

@overload
def draw(
    result: Pictures,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    columns: int | None = None,
) -> Picture:
    """All pictures in a grid, each above its name, its facts and its trust; what belongs beside it to its left.

    A picture that is adversarial noise is framed and says so.
    """

@overload
def draw(
    result: Predictions,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The guesses of every image, one block below the other; with `over`, each beside its image."""

@overload
def draw(
    result: Projections,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """Every patch beside its projection, on a scale of its own around gray, with its activation and its class."""

@overload
def draw(
    result: Prototypes,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """For each group its prototypes with what they stand for, and its criticisms."""

@overload
def draw(
    result: ReceptiveFields,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """All fields in one frame of the network's input, then each layer's map with both of its fields."""

@overload
def draw(
    result: Report,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """What is said, then a row for each strip, then the first rows of every table; all rows are in the numbers."""

@overload
def draw(
    result: Review,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The mean map of every cluster, then its photos: red speaks for the class, blue against it."""

@overload
def draw(
    result: Spectrum,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """How many eigenvalues lie where, on a logarithmic axis; below it the Ritz values with their residuals."""

@overload
def draw(
    result: Study,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    log: bool | None = None,
) -> Picture:
    """What was found, then pictures, curves, grids and the first rows of the tables, each under its name."""

@overload
def draw(
    result: Surface,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
    measure: str | None = None,
    form: Literal["both", "contour", "surface"] = "both",
    log: bool | None = None,
) -> Picture:
    """Contours and a relief of every network, all on one scale; how batch norm was treated, and what was checked.

    Networks that were placed are dots, joined to a path where they are the steps of one training, and hollow where
    most of their distance from the center is off the plane. As a page (.html) the surface can be turned.
    """

@overload
def draw(
    result: Suspects,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The most suspect images: label and suggestion, the nearest in each space (framed blue where they have the given
    label, orange where they have the suggestion), and the margin of the given label.
    """

@overload
def draw(
    result: Table,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The columns that are pictured as bars, in the order of the rows; what should be known of them above."""

@overload
def draw(
    result: Tour,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """One walk below the other, over the images that it holds; saved as .html, a page that says more."""

@overload
def draw(
    result: UnitPage,
    over: ImagesLike | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> Picture:
    """The strongest patches with their projections on the left, the neuron feature and the numbers on the right; below
    one image of every tenth, the weakest, the histogram, the classes and the units alike.
    """

@overload
def draw(
    result: Result,
    over: ImagesLike | None = None,
    *,
    dark: bool = False,
    title: str | None = None,
) -> Picture:
    """Draw a result: a Heatmap (or a list of them, side by side), an Explanation (or a list), or any other kind.

    `over` are the pictures the result was made of: maps are laid over the originals, and without it they are
    drawn on their own. The options are those of `Look` for heatmaps, besides `title` and `dark`.

    Returns a Picture; with `ax`, a part of a matplotlib figure of your own, what was drawn there. An Axes takes one map
    or one of Pictures, a list of Axes as many (returned are the colors, for `figure.colorbar`); a Figure or SubFigure
    takes all of any drawing, as large as fits (and is returned).
    Raises PellucidError for a kind that has no picture, an unknown option, pictures that do not fit, or more maps than
    axes.
    """

@overload
def draw(
    result: Heatmap | Sequence[Heatmap] | Pictures,
    over: ImagesLike | None = None,
    *,
    ax: Axes,
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "common",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = False,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> ScalarMappable:
    """In an axes of your own: one map or picture."""

@overload
def draw(
    result: Heatmap | Sequence[Heatmap] | Pictures,
    over: ImagesLike | None = None,
    *,
    ax: Sequence[Axes],
    view: Literal["signed", "positive", "negative", "magnitude"] | None = None,
    scale: Literal["common", "own"] | float = "common",
    percentile: float | None = None,
    opacity: float = 0.85,
    colors: str | None = None,
    smooth: Literal["linear", "cubic", "gaussian", "cells"] | None = None,
    sigma: float | None = None,
    scheme: Literal["sober", "vivid"] = "sober",
    crop: bool = False,
    field: bool = False,
    dark: bool = False,
    title: str | None = None,
) -> list[ScalarMappable]:
    """In axes of your own: a map or picture in each."""

@overload
def draw(
    result: Result | Sequence[Result],
    over: ImagesLike | None = None,
    *,
    ax: Figure | SubFigure,
    **options: Any,
) -> Figure | SubFigure:
    """All of a drawing in a figure of your own."""
