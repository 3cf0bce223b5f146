"""Bias: what a network knows a class by besides the class itself."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pellucid.data import DataLike
from pellucid.evaluation.explainers import ExplainersLike
from pellucid.evaluation.groups import GroupsLike
from pellucid.evaluation.parts import RegionsLike
from pellucid.image_set import ImageSetLike
from pellucid.images.perturb import PictureLike
from pellucid.net import NetLike
from pellucid.result.review import Review
from pellucid.result.study import Study
from pellucid.target.base import TargetLike
from typing import Literal, TypeVar, overload

def clusters(
    net: NetLike,
    data: DataLike,
    *,
    class_name: str | None = None,
    of: ExplainersLike = ...,
    cells: int = 8,
    count: int = 200,
    seed: int = 0,
) -> Study:
    """Clusters of reasons

    Maps of each class are compared, and fall into clusters: `clusters` has one row for each, the odd ones first.

    Each photo is asked about its own class. Its map is averaged over cells and divided by the sum of its absolute
    values; a graph joins maps with their 10 nearest, and the smallest eigenvalues of its normalized Laplacian say into
    how many parts it almost falls. `classes` has one row for each class, those first whose second eigenvalue is the
    smallest. Suspicious is a cluster that stands apart (isolation), is known by a place where other photos have little
    attribution (exclusive), and whose place makes photos of other classes look like this one when it is pasted on them:
    a list to be reviewed and no verdict. `grids` are mean maps of the oddest clusters, (cells, cells). Photos that the
    network gets wrong are included. Raises PellucidError for a class
    that no photo has, and Refused where the method refuses.

    Source: Lapuschkin et al. 2019, section 2 and supplementary note 1 (spectral relevance analysis).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        class_name: name of the only class to examine (text; by default None)
        of: attribution method with its options (METHOD,…; by default "grad_cam")
        cells: number of cells along a side of the compared maps (2 to 64; by default 8)
        count: number of photos of each class, drawn at random (4 to 5000; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def cover(
    net: NetLike,
    images: ImageSetLike,
    target: TargetLike = ...,
    *,
    masks: RegionsLike,
    patch: PictureLike | None = None,
    fill: Literal["gray", "black", "white", "mean", "blur", "noise"] = "mean",
    controls: int = 3,
    seed: int = 0,
) -> Study:
    """Covering a suspected place

    How a score and a probability change when a place is covered or pasted over: `change` has one row for each.

    The same is done at random places of the same photos, as large and of the same form, so that a change by any cover
    is told from one by this place; the last rows of `change` are the differences of both, photo by photo. `photos` has
    one row for each photo, (N,). Masks are white where the place is; photos without one are left out. The best guess is
    that of the unchanged photo. To paste, give photos without the suspected thing; to cover, those with it.

    Source: Lapuschkin et al. 2019, section 2 and figure 2 (the tag pasted and removed).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        masks: place: 'bottom right', 'text', top,left,bottom,right as shares, a mask or a folder of them (REGION; required)
        patch: picture that is pasted there, stretched to the place (IMAGE; by default None)
        fill: filling of the place where nothing is pasted (gray | black | white | mean | blur | noise; by default "mean")
        controls: number of random places of each photo (0 to 50; by default 3)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def cover(
    net: NetLike,
    images: ImageSetLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    masks: RegionsLike,
    patch: PictureLike | None = None,
    fill: Literal["gray", "black", "white", "mean", "blur", "noise"] = "mean",
    controls: int = 3,
    seed: int = 0,
) -> tuple[Study, ...]:
    """Covering a suspected place: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        masks: place: 'bottom right', 'text', top,left,bottom,right as shares, a mask or a folder of them (REGION; required)
        patch: picture that is pasted there, stretched to the place (IMAGE; by default None)
        fill: filling of the place where nothing is pasted (gray | black | white | mean | blur | noise; by default "mean")
        controls: number of random places of each photo (0 to 50; by default 3)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def groups(
    net: NetLike,
    data: DataLike,
    *,
    groups: GroupsLike,
    min_images: int = 10,
    seed: int = 0,
) -> Study:
    """Accuracy by group

    Accuracy of each class in each group, and how far groups are apart: `gaps` has one row for each class.

    A group is what is known of an image besides its class, such as who is in it or what it stands before. `groups` has
    one row for each class and group, with Wilson intervals; `wrong` are images that the network gets wrong, those of
    the least accurate group first; the grid `accuracy` is (classes, groups). Groups with fewer than `min_images` images
    of a class are listed and not compared. Images without a group are left out. That groups differ does not say why:
    photos of one may be harder for anybody. Raises PellucidError where no class has two groups to compare, and Refused
    for a regression and where labels stand by themselves.

    Source: Buolamwini & Gebru 2018, section 4; Sagawa et al. 2020, section 2 (worst-group accuracy); Newcombe 1998.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        groups: group of each image: a .csv with columns image and group, or 'folder' below that of the class (GROUPS; required)
        min_images: minimum number of images of a class in a group that is compared (2 or more; by default 10)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def regions(
    net: NetLike,
    data: DataLike,
    *,
    masks: RegionsLike | None = None,
    class_name: str | None = None,
    of: ExplainersLike = ...,
    count: int = 200,
    seed: int = 0,
) -> Study:
    """Attribution by region

    Shares of the absolute attribution by region: `classes` has one row for each class and region.

    Each photo is asked about its own class. The border is an eighth of each side, a corner a fourth. Text-like is what
    has shapes of the size of letters side by side; background what hangs together with the image's borders (Zhu et al.
    2014); a watermark what 20 and more photos of a class have at the same pixels; photos without one do not count.
    Masks are white where the region is, and those of a folder bear the names of the photos. `outliers` are photos whose
    share is more than 3 widths of the quartiles above the upper quartile of their class. The grid `times` is the share
    over that of the area, a row for each class. Maps that are coarse reach over the edges of a region. Raises
    PellucidError for a class that no photo has.

    Source: Ross et al. 2017, section 2 (masks of what should not matter); Efron & Tibshirani 1993, section 13.3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        masks: region besides: 'bottom right', a box top,left,bottom,right in shares, a mask or a folder (REGION; by default None)
        class_name: name of the only class to examine (text; by default None)
        of: attribution method with its options (METHOD,…; by default "grad_cam")
        count: number of photos of each class, drawn at random (4 to 5000; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def review(
    net: NetLike,
    data: DataLike,
    *,
    class_name: str | None = None,
    of: ExplainersLike = ...,
    cells: int = 8,
    photos: int = 12,
    count: int = 200,
    seed: int = 0,
) -> Review:
    """Review of reasons

    What `clusters` of this chapter finds, with photos and maps of each of K clusters, (K, cells, cells) their means:
    saved as .html it is one page, on which each cluster is accepted or suspected.

    The suspicious clusters come first, then the others by how odd they are. The marks are kept by the browser, and a
    button of the page writes them with the names of the photos as JSON. No more than 60 clusters are shown. Maps are
    those that were compared, (cells, cells), each over its largest absolute value. Raises PellucidError for a class
    that no photo has, and Refused where the method refuses.

    Source: Lapuschkin et al. 2019, section 2 and supplementary note 1 (spectral relevance analysis).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        class_name: name of the only class to examine (text; by default None)
        of: attribution method with its options (METHOD,…; by default "grad_cam")
        cells: number of cells along a side of the compared maps (2 to 64; by default 8)
        photos: number of photos shown of each cluster (1 to 100; by default 12)
        count: number of photos of each class, drawn at random (4 to 5000; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
