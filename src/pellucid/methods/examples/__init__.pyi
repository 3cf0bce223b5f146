"""Examples: the training set as an explanation, and as the thing to mend."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.catalogue.ask import Ask, Parts
from pellucid.data import DataLike
from pellucid.decisions import DecisionsLike
from pellucid.evaluation.truth import PairsLike, TruthLike
from pellucid.history import HistoryLike
from pellucid.image_set import ImageSetLike
from pellucid.images import ImagesLike
from pellucid.index.index import IndexLike
from pellucid.learning.recipes import RecipeText
from pellucid.net import NetLike
from pellucid.net.nets import NetsLike
from pellucid.result.audit import Audit
from pellucid.result.cases import Cases
from pellucid.result.mistakes import Mistakes
from pellucid.result.pair import Pair
from pellucid.result.pictures import Pictures
from pellucid.result.prototypes import Prototypes
from pellucid.result.report import Report
from pellucid.result.study import Study
from pellucid.result.suspects import Suspects
from torch.nn.modules.module import Module
from typing import Literal

def audit(
    index: IndexLike,
    *,
    test: IndexLike | ImageSetLike | None = None,
    truth: TruthLike | None = None,
    classes: PairsLike | None = None,
    kinds: Sequence[Literal["mislabeled", "leaks", "duplicates", "outliers", "quality", "similar", "context", "subgroups"]] = ("mislabeled", "leaks", "duplicates", "outliers", "quality", "similar", "context", "subgroups"),
    count: int = 30,
    seed: int = 0,
) -> Audit:
    """Audit of a data set

    What is wrong with the images of an index: (K,) findings in `items`, up to `count` of each of eight `kinds`.

    Mislabeled: the scores of `mislabeled`, combined. Outliers: 20th nearest by cosine, and −log density of one Gaussian
    for each class with one covariance. Duplicates: the same file or pixels, or alike after the best alignment, mirrored
    and cropped too; leaks: the same across folders train, val, test, or between the index and a `test` set. Quality:
    dark, bright, uniform, blurred, odd sizes. Similar classes: confusions, soft labels at temperature 4, class means.
    Context: with `truth`, masks or boxes of the objects. Subgroups: small clusters of a class apart from the rest, with
    the accuracy in them. Memory holds a row of features and 3 kB of picture for each image; all pairs are compared a
    part at a time. Raises PellucidError for a kind that cannot be looked for where it is named alone.

    Source: Northcutt et al. 2021; Lee et al. 2018, section 2.1; Lucas & Kanade 1981; Xiao et al. 2021.

    Args:
        index: An index, or the folder that it lies in.
        test: test set whose images must not be among those of the index: an index, or photos (INDEX; by default None)
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; by default None)
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        kinds: kinds that are looked for: mislabeled, leaks, duplicates, outliers, quality, similar, context, subgroups (by default ("mislabeled", "leaks", "duplicates", "outliers", "quality", "similar", "context", "subgroups"))
        count: number of findings of each kind that are listed (1 to 500; by default 30)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def concept_ablation(
    index: IndexLike,
    images: ImageSetLike,
    *,
    layer: str | None = None,
    units: int = 0,
    value: Literal["zero", "mean"] = "zero",
    count: int = 128,
    controls: int = 20,
    seed: int = 0,
) -> Report:
    """Concept ablation

    What the score of every class does on photos of a concept without it: one row for each class, the most changed
    first.

    The direction is the difference of the mean activations of these photos and of images of the index, means over
    places. Activations are projected onto its orthogonal complement at every place (with `value` mean, moved to where
    the images of the index are), or its strongest `units`, by difference over standard deviation, are set to that
    value. `controls` are directions between random halves of the images of the index, of as many images as there are
    photos, or as many other units. `ablation` does so for one unit, and `dissection` finds the units of labeled
    concepts. Errors are standard errors over the photos. Raises PellucidError for fewer than two photos.

    Source: Kim et al. 2018 (TCAV), sections 3.1 and 3.5; Ravfogel et al. 2020, section 3 (projection).

    Args:
        index: An index, or the folder that it lies in.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        layer: layer out of which the concept is taken (text; by default None)
        units: number of units that are removed, those that differ most; 0: the direction is (0 or more; by default 0)
        value: value left along the direction: 0, or its mean over images of the index (zero | mean; by default "zero")
        count: number of images, drawn at random from the index (4 or more; by default 128)
        controls: number of random directions, or sets of units, to compare with (1 to 1000; by default 20)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def context(
    net: NetLike,
    images: ImageSetLike,
    *,
    truth: TruthLike,
    classes: PairsLike | None = None,
    cover: Literal["box", "boxes", "outline"] = "box",
    fill: Literal["gray", "black", "white", "mean", "blur", "noise"] = "mean",
    seed: int = 0,
) -> Study:
    """Context over object

    The probability of a class in photos as they are, with its object covered, and with everything else covered.

    `classes` of the answer has one row for each class, those known by their context first, with the 95 % interval of
    the difference; `photos` one row for each case, with all six probabilities: whole, one box around all things
    of the class covered, a box around each, outline covered, outline blurred, background covered. Cases whose class is
    not among the five most probable are left out. Raises PellucidError where none is left, Refused for a network
    without classes.

    Source: Lapuschkin et al. 2019 (classes known by their context); Xiao et al. 2021, section 2 (backgrounds).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        truth: boxes or masks: CSV, COCO JSON, folder of YOLO .txt, of Pascal VOC .xml or of mask .png (TRUTH; required)
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        cover: part of the photo that is covered for the object: one box around all of the class, boxes, one around each, or their outline (box | boxes | outline; by default "box")
        fill: filling of what is covered (gray | black | white | mean | blur | noise; by default "mean")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def counterfactual(
    net: NetLike,
    images: ImagesLike,
    *,
    new_class: str | int | None = None,
    probability: float = 0.85,
    networks: NetsLike | None = None,
    index: IndexLike | None = None,
    steps: int = 300,
) -> Pictures:
    """Counterfactual

    The nearest picture of each image that is answered with another class: (N, H, W, C), as large as its image.

    Sought is the least λ · (what is lacking of the log odds)² + mean |change|, λ doubled until the class is reached,
    through the network's own resizing and cropping and on whole levels of 255, so that what is reported is
    true of the saved 8-bit file. In the end changes that do little are taken back, as many as the class allows.

    Facts of each picture: the probability of the class and that of the first guess, before and after; the mean and the
    largest change, of 255; the share of changed pixels; how many times the change shown beside it is magnified around
    gray; and the probability that each of the other `networks` gives the class, before and after. With an `index`, how
    far the picture and its image lie from the nearest other image with the label or the answer of that class, 1 −
    cosine of what the last layer reads, about its mean; and the share of the class's images that lie as far from one
    another (of a class of fewer than 5, of the images of all classes): what that layer reads follows the answer, so
    a large distance speaks against a picture, and a small one not for it. Its trust says whether the class survives a
    shift by 4 pixels and other small touches. A class that is not reached, and a picture that is farther than usual,
    are said in the notes. Raises UnknownName for a class that is not there.

    Source: Wachter, Mittelstadt & Russell 2017, sections III and IV.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        new_class: class that the images are to be answered with, by its name or number (text; by default None)
        probability: probability of that class, measured on the picture as saved (0.5 or more; by default 0.85)
        networks: networks of the same classes that are shown what was found (NETS; by default None)
        index: index of the network over real images, from whose distances it is said how likely each is (INDEX; by default None)
        steps: maximum number of steps for each image (1 to 10000; by default 300)
    """

def exchange(
    net: NetLike,
    images: ImagesLike,
    *,
    index: IndexLike | None = None,
    new_class: str | int | None = None,
    layer: str | Module | None = None,
    repeat: bool = False,
    seed: int = 0,
) -> Pair:
    """Exchange of regions

    The fewest exchanges of cells that a greedy search finds to turn each answer into another class: (N,) pairs.

    Of several images the last is the one that all others exchange with. With an `index` that is, for each image, the
    photo nearest to it in what the last layer reads, among those of the class that the network answers right.
    Each step exchanges the cell after which the log odds of the new class against the answer are largest; with `repeat`
    and behind a mean over places that is the best order there is. `random` says how many exchanges cells drawn at
    random take, in 20 draws by `seed`. Raises PellucidError for one image without an index, and where there is no photo
    of the class.

    Source: Goyal et al. 2019, sections 3 and 4 (greedy search).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        index: index of this network whose photos are exchanged with (INDEX; by default None)
        new_class: class that the images are to be answered with, by its name or number (text; by default None)
        layer: layer whose cells are exchanged (text; by default None)
        repeat: let a region of the other image be used in several places (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def influence(
    index: IndexLike,
    images: ImagesLike,
    *,
    variant: Literal["last_layer", "tracin", "ek_fac", "trak"] = "last_layer",
    label: str | None = None,
    damping: float = 0.01,
    checkpoints: HistoryLike | Sequence[HistoryLike] = (),
    count: int = 9,
    full: bool = False,
) -> Cases:
    """Influence

    The training images with the largest and the smallest influence on each image: (N, 2, count), and signed.

    A score is how much the loss of the class rises when the training image is removed, for `last_layer` to first order
    gᵀH⁻¹gᵢ/N, with H the Gauss-Newton matrix of the softmax layer, its bias included, plus λ (`damping`). The network's
    last layer is taken to be at its optimum over these images, so ask an index of the images that it learned from.
    `measures` are the share of the sum of all |scores| that the row holds, the share of its images that have the class,
    and the probability of the class once the row is removed and the last layer refitted (one Newton step). `tracin`
    needs `checkpoints`; it is the form for the last layer. `trak` projects gradients of all weights at random and keeps
    them with the index, 8 kB an image; its scores are means over `checkpoints`, where there are any. With `full` all
    scores are in `scores`, for the images `numbers`. Raises PellucidError where fewer than two classes are among the
    images.

    Source: Koh & Liang 2017, sections 2 and 4.2; Pruthi et al. 2020 (TracIn); George et al. 2018, Grosse et al. 2023 (EK-FAC); Park et al. 2023 (TRAK).

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        variant: definition: exact for the last layer, TracIn over checkpoints, EK-FAC or TRAK over all layers (last_layer | tracin | ek_fac | trak; by default "last_layer")
        label: class whose loss is explained, by its name (text; by default None)
        damping: penalty λ on the squared weights, which is added to the curvature (number; by default 0.01)
        checkpoints: folder of the training run, with checkpoints for trak, which can do without, and for tracin, which reads the learning rate lr by step, too (RUN; by default ())
        count: number of training images in each row (1 to 100; by default 9)
        full: keep the scores of all training images, too (yes | no; by default False)
    """

def mislabeled(
    index: IndexLike,
    *,
    count: int = 40,
    second: str = "hog",
    networks: NetsLike | None = None,
    noise: float = 0.1,
    run: HistoryLike | Sequence[HistoryLike] = (),
    seed: int = 0,
) -> Suspects:
    """Mislabeled images

    The K images of an index whose labels are doubted most: (K,) by several scores together, the most suspect first.

    One score of each kind of evidence counts: AUM while a last layer learns the labels from the features, the margin
    of 5-fold fits, the share of the 20 nearest with another label in the last layer and in a `second` space, and the
    margin of the network itself; together they are −Σ log of the share of images that are at least as suspect. With
    other `networks`, which find more, it is the mean log probability of the best other class less that of the label, of
    each network by itself (where it knows the classes) and by fits out of fold of its last layer. What counts is
    fixed and asks no label. The suggestion is the most probable other class out of fold. With `noise` the same
    is tried on labels made wrong, and the table says what each score is worth here. `decide` of the answer reads and
    writes what a person decided. Raises PellucidError where the index has no labels.

    Source: Northcutt et al. 2021, section 3; Pleiss et al. 2020, section 3; Fisher 1932 (combination); Guo et al. 2017, section 4.2 (temperatures).

    Args:
        index: An index, or the folder that it lies in.
        count: number of suspects that are shown (1 to 1000; by default 40)
        second: second space, which should not repeat the network: hog, lbp, colors, pixels, or an embedded layer (text; by default "hog")
        networks: other networks that see the images, too, of the same classes or of others (NETS; by default None)
        noise: share of labels made wrong to try the scores, 0: they are not tried (0 to 0.5; by default 0.1)
        run: training run whose checkpoints give the margins over time (RUN; by default ())
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def mistake(
    index: IndexLike,
    images: ImagesLike,
    *,
    label: str | None = None,
    second: str = "hog",
    of: Ask | str | Parts = ...,
    count: int = 6,
    damping: float = 0.01,
    seed: int = 0,
) -> Mistakes:
    """Mistake

    Why each image is answered with another class than its own: a verdict for each, with (N, 5) figures of causes.

    Figures are the share of training images that are less far out, by whichever says most: distances to neighbors in
    the last layer and in a `second` space, and the distance from all mixtures of the class means in that layer; the
    chance that the image's `label` is wrong, by calibrated probabilities out of fold and the share of wrong labels that
    makes all labels most probable (Bayes); the same chance on average over the images of the answer's class that are
    nearest or push the most against its own, by a last layer without all that is around; and how often the two classes
    are taken for each other, against all pairs (with fewer than five images of one, the share of classes that are no
    more similar); and the share of training images that are more like their neighbors by the angle in the last layer:
    where that is 95 % and more, or 97.5 % are less far out, a wrong label is not believed. The map is `of` the logit of
    the answer less that of the class. Raises PellucidError where the class of an image is neither known to the index
    nor said by `label`.

    Source: Koh & Liang 2017 (influence); Northcutt et al. 2021 (labels); Hinton et al. 2015, section 2 (classes).

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        label: class that the images really are of, by its name (text; by default None)
        second: second space, which should not repeat the network: hog, lbp, colors, pixels, or an embedded layer (text; by default "hog")
        of: attribution method of the map, with its options: lrp:composite=epsilon (METHOD:OPTION=VALUE,…; by default "grad_cam")
        count: number of training images in each row (1 to 100; by default 6)
        damping: penalty λ on the squared weights, which is added to the curvature (number; by default 0.01)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def nearest(
    index: IndexLike,
    images: ImagesLike,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    descriptors: Sequence[Literal["hog", "lbp", "colors", "pixels"]] = ("hog", "colors"),
    count: int = 9,
    label: str | None = None,
    damping: float = 0.01,
) -> Cases:
    """Nearest training cases

    The training images nearest to each image in every space: (N, spaces, count) cosines about the training mean.

    The rows of a layer are means over its places, as the index keeps them. Of equally similar images the first in the
    data set comes first; an image of the index finds itself at 1. `measures` are the share of a row's images that have
    the answer's class and the `label`, without duplicates and without unlabeled images, and the probability of the
    answer once the images of the row are removed and the last layer refitted: one Newton step at `damping` from the
    weights that it has. The answer then is in `without`. Raises PellucidError where the network
    does not end in a linear layer and a softmax.

    Source: Krizhevsky, Sutskever & Hinton 2012, figure 4 (right); Dalal & Triggs 2005 (HOG); Ojala et al. 2002 (LBP).

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layer: embedded layer whose features are compared; several, as a,b, give a row each (text; by default None)
        descriptors: handcrafted features that are compared as well: hog (shapes), lbp (texture), colors, pixels (by default ("hog", "colors"))
        count: number of training images in each row (1 to 100; by default 9)
        label: class that the images really are of, by its name (text; by default None)
        damping: penalty λ on the squared weights when the last layer is refitted (number; by default 0.01)
    """

def prototypes(
    index: IndexLike,
    *,
    classes: str | Sequence[str] | None = None,
    space: str | None = None,
    count: int = 10,
    criticisms: int = 5,
    variant: Literal["mmd_critic", "proto_dash"] = "mmd_critic",
    seed: int = 0,
) -> Prototypes:
    """Prototypes

    The images that stand for a group of images, and `criticisms` that they stand for worst: (N,) groups, with up to
    `count` prototypes each.

    Prototypes make the squared maximum mean discrepancy (MMD²) between them and all images of the group small,
    greedily, with the kernel exp(−γ d²), γ = 1 / the median squared distance of two images (of more than 2,000, of so
    many drawn by `seed`). The features of a layer are taken as directions about the mean of the index. Criticisms make
    Σ |witness| + log det K large. The `table` says how small MMD² is, what share of the other images has the class of
    the nearest prototype, and what images drawn at random come to, mean of 20 draws; of a class by itself also how many
    of the images nearest to its prototypes are of it. Raises UnknownName for a class or a space that the index does not
    have.

    Source: Kim, Khanna & Koyejo 2016, sections 2 and 3 (MMD-critic); Gurumoorthy et al. 2019, algorithm 1 (ProtoDash).

    Args:
        index: An index, or the folder that it lies in.
        classes: class whose images are summarized, by its name; several, as a,b, or each, for every class, give a group each (text; by default None)
        space: embedded layer by which images are compared, or hog, lbp, colors, pixels (text; by default None)
        count: number of prototypes of each group (1 to 1000; by default 10)
        criticisms: number of criticisms of each group (0 to 1000; by default 5)
        variant: definition: equal weights (mmd_critic), or weights of 0 or more that fit best (proto_dash) (mmd_critic | proto_dash; by default "mmd_critic")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def retrained(
    net: NetLike,
    data: DataLike,
    *,
    decisions: DecisionsLike,
    what: Literal["head", "network"] = "head",
    test: DataLike | None = None,
    repeats: int = 5,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Retrained

    Trainings with the labels as given, as mended by the decisions, and with as many images removed at random:
    one row for each; `repeats` of each, on three fourths of the images drawn anew, the same for all three.

    The last layer is a softmax regression on what it reads, penalty 0.01, at its one optimum. A network begins from
    He's initialization and is trained by `recipe`, with Adam and a learning rate of 0.001 that falls along half a
    cosine unless it says else. The given network and the data are not changed. Raises PellucidError, naming the image,
    where decisions are about other labels than the data has.

    Source: Northcutt, Athalye & Mueller 2021, section 5; Pleiss et al. 2020, section 4.2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        decisions: decisions.csv with image, given, decision, label (DECISIONS; required)
        what: part that is trained: the last layer on its features, or the network from new weights (head | network; by default "head")
        test: labeled images to judge with, other ones than those trained on (DATA; by default None)
        repeats: number of trainings with each set of labels (2 to 100; by default 5)
        recipe: training of a network, such as epochs=20,lr=0.001,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=10")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def scores(
    index: IndexLike,
    *,
    noise: float = 0.1,
    repeats: int = 2,
    second: str = "hog",
    networks: NetsLike | None = None,
    count: int = 20,
    seed: int = 0,
) -> Study:
    """Scores of suspicion

    All scores that an index allows: one row for each with its AUROC on labels made wrong, and the `count` most
    suspect images on the labels as they are.

    A share of the labels (`noise`) is replaced, by any other class and by the next one; a last layer is trained on the
    features with these labels, epoch by epoch, and everything is computed anew, `repeats` times, on 5,000 images at
    the most. Combined is one score of each kind of evidence: AUM, CV margin, neighbors in the last layer and in the
    `second` space, and the network's own margin, as −Σ log of the share of images that are at least as suspect; with
    other `networks` the mean of the log probabilities of all, by themselves and out of fold. Raises PellucidError where
    the index has no labels.

    Source: Pleiss et al. 2020, section 4; Northcutt et al. 2021; Jia et al. 2019; the source column of the answer.

    Args:
        index: An index, or the folder that it lies in.
        noise: share of the labels that is made wrong, from 0 to 1 (number; by default 0.1)
        repeats: number of times that labels are made wrong (1 to 100; by default 2)
        second: second space, which should not repeat the network: hog, lbp, colors, pixels, or an embedded layer (text; by default "hog")
        networks: other networks that see the images, too, of the same classes or of others (NETS; by default None)
        count: number of the most suspect images in the table (1 to 10000; by default 20)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
