"""Localization: does a map lie on the thing that it explains?"""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pellucid.evaluation.explainers import ExplainersLike
from pellucid.evaluation.truth import PairsLike, TruthLike
from pellucid.image_set import ImageSetLike
from pellucid.net import NetLike
from pellucid.result.study import Study
from typing import Literal
from pellucid.evaluation.truth import ClassPairs as ClassPairs
from pellucid.evaluation.truth import Truth as Truth
from pellucid.evaluation.boxes import boxes as boxes
from pellucid.evaluation.boxes import masks as masks

def box_accuracy(
    net: NetLike,
    images: ImageSetLike,
    *,
    truth: TruthLike,
    of: ExplainersLike = ...,
    classes: PairsLike | None = None,
    thresholds: int = 100,
    parts: Literal["all", "largest"] = "all",
    seed: int = 0,
) -> Study:
    """Box accuracy

    Each map is put between 0 and 1, and boxes are drawn around the parts of it above a threshold.

    A case, a class in a picture, is right where a box overlaps with one of the class by at least .3, .5 or .7
    (intersection over union). Of each method the threshold counts at which most cases are right, found on these very
    pictures: that flatters all methods alike. The table has one row for each method and each map that knows no network:
    `box_accuracy`, the mean of the three shares, with a 95 % interval that draws pictures at that threshold, and each
    share by itself. The curve over the thresholds, (T,), is the share at .5. At the threshold 0 the box is all
    that the network sees, which no method can be worse than. Boxes are compared in pixels of the original picture, as
    far as the network sees it; those of masks are drawn around each connected part.

    Source: Choe et al. 2020, section 3.2 (MaxBoxAcc), and its version 2 in section 4 of the journal's edition.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        thresholds: number of thresholds over the range of a map (2 to 1000; by default 100)
        parts: connected parts above the threshold that are boxed (all | largest; by default "all")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def energy(
    net: NetLike,
    images: ImageSetLike,
    *,
    truth: TruthLike,
    of: ExplainersLike = ...,
    classes: PairsLike | None = None,
    seed: int = 0,
) -> Study:
    """Energy in the box or mask

    The sum of the positive part of a map inside the box or mask of a class, over its sum everywhere: 0 to 1.

    `energy` has a row for each method and each map that knows no network: the mean over all cases (a class in a
    picture), with a 95 % interval that draws pictures, over classes, and over difficult cases, as in `pointing`;
    `classes` has one row for each class. Maps are read at every pixel of the network's input, (H, W). A map that is
    the same everywhere, and one that is nowhere positive, has the share of the area: `meta.found["chance"]` is its
    mean. What the network does not see of a thing is left out.

    Source: Wang et al. 2020, section 4.3 (Score-CAM), the energy-based pointing game.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def grid_pointing(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    count: int = 100,
    confidence: float = 0.5,
    size: Literal["double", "input"] = "double",
    seed: int = 0,
) -> Study:
    """Grid pointing game

    The share of the positive part of a map that lies in the photo whose class is asked about: by chance a quarter.

    Four photos that the network classifies with some `confidence`, each as another class, make a mosaic; in turn the
    first, second, third or fourth is asked about, by the class that the network gave it alone. `ranking` has
    one row for each method and each map that knows no network: `localization` is the mean share over the mosaics, with
    its 95 % interval, and a paired test against the best. A map that is nowhere positive has a quarter. No boxes are
    needed. With `size` "double", as the papers have it, the mosaic has twice the sides of the network's input, which
    networks that take one size refuse: ask for "input" there.

    Source: Böhle et al. 2021, section 4.2 (CoDA networks); Rao et al. 2022, section 3.1 (GridPG).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        count: number of mosaics, of which one photo each is asked about (1 to 10000; by default 100)
        confidence: probability that a photo's best guess must have for it to be taken (0 to 1; by default 0.5)
        size: pixels of a mosaic: photos as the network takes them, or of half their side, so that the mosaic is what it takes (double | input; by default "double")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def localize(
    net: NetLike,
    images: ImageSetLike,
    *,
    boxes: TruthLike,
    of: ExplainersLike = ...,
    classes: PairsLike | None = None,
    tolerance: float = 15.0,
    thresholds: int = 100,
    seed: int = 0,
) -> Study:
    """Localization

    One map of each class in each picture, measured three times: it is computed once.

    The tables `pointing`, `energy` and `boxes` have a row for each method and each map that knows no network, and are
    those of the methods `pointing`, `energy` and `box_accuracy`; `classes` has one row for each class with the shares
    of hits. `meta.found["chance"]` says what a map scores in the first two that is the same everywhere, (2,).

    Source: Zhang et al. 2016, section 4.1; Wang et al. 2020, section 4.3; Choe et al. 2020, section 3.2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        boxes: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        tolerance: distance from the thing that still is a hit, in pixels of the original (0 to 1000; by default 15.0)
        thresholds: number of thresholds over the range of a map (2 to 1000; by default 100)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def pixels(
    net: NetLike,
    images: ImageSetLike,
    *,
    truth: TruthLike,
    of: ExplainersLike = ...,
    classes: PairsLike | None = None,
    levels: int = 1000,
    seed: int = 0,
) -> Study:
    """Precision and recall of pixels

    Every pixel above a threshold is taken for one of the thing: precision and recall over all thresholds.

    `pixels` has one row for each method and each map that knows no network: the average precision of a picture's
    pixels, the mean over all cases (a class in a picture), with a 95 % interval that draws pictures; and PxAP, that of
    the pixels of all pictures together, as the paper has it, where each map is put between 0 and 1 before.
    The curve `recall` (100,) is the precision of all pixels together. A map that is the same everywhere has the share
    of the area. Of masks this says more than of boxes, whose corners are no part of the thing.

    Source: Choe et al. 2020, section 3.2 (PxAP).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        levels: number of thresholds over the range of a map (2 to 1000; by default 1000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def pointing(
    net: NetLike,
    images: ImageSetLike,
    *,
    truth: TruthLike,
    of: ExplainersLike = ...,
    classes: PairsLike | None = None,
    tolerance: float = 15.0,
    seed: int = 0,
) -> Study:
    """Pointing game

    A hit is a map whose largest value lies on a thing of the class, or within `tolerance` pixels of one.

    Every class that a picture has things of is asked about by itself. The table `pointing` has a row for each
    method and each map that knows no network: the share of hits over all cases (a case is a class in a picture), with a
    95 % interval that draws pictures, the mean of the classes' shares, which papers state, and the share of the
    difficult cases, whose things fill less than a quarter of the picture beside another class. `classes` has
    one row for each class, and the curve `tolerance` (101,) follows the hits from 0 to 100 pixels. Among equal values
    chance decides: `meta.found["chance"]` is what a map scores that is the same everywhere. Distances are in pixels of
    the original picture, from the middle of a pixel to that of the nearest one of the thing. What the network does not
    see, because the picture was cropped, is left out.

    Source: Zhang et al. 2016, section 4.1 (excitation backprop), as TorchRay plays it.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        tolerance: distance from the thing that still is a hit, in pixels of the original (0 to 1000; by default 15.0)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
