"""Inherent: networks built to be understood, and what that costs."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Mapping, Sequence
from pathlib import Path
from pellucid.data import DataLike
from pellucid.interpretable.annotated import ConceptTable
from pellucid.learning.recipes import RecipeText
from pellucid.net import NetLike
from pellucid.result.study import Study
from torch.nn.modules.module import Module
from typing import Literal

def concept_bottleneck(
    net: NetLike,
    data: DataLike,
    *,
    concepts: ConceptTable | str | Path | Mapping[str, Mapping[str, str | float]],
    layer: str | Module | None = None,
    strengths: Sequence[float] = (1.0, 0.1, 0.0),
    order: Literal["uncertain", "random"] = "uncertain",
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Concept bottleneck

    x -> concepts -> classes on the means of a layer: `networks` has one row for each way to train.

    Independent: classes are learned from true concepts; sequential: from those that are predicted; joint: both at
    once, with cross entropy + strength · the concepts' loss. Then the concepts of held-out images are set right, one
    after another, and the curve says how many classes are right. The ceiling is what anybody could have right who
    knows true concepts alone. `axes` says of each value of a concept how well one number tells it: the best channel,
    and its axis once the layer is whitened and turned towards the concepts, which changes nothing that a linear layer
    could not undo. Raises PellucidError for an image without concepts.

    Source: Koh et al. 2020, section 3 and figure 4; Mahinpei et al. 2021, section 3 (leakage); Chen, Bei & Rudin 2020, section 3 (whitening).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        concepts: table of concepts: a CSV file with a row for each class or image, or {name: {concept: value}} (CONCEPTS; required)
        layer: layer that concepts are read from (text; by default None)
        strengths: weights of the concepts' loss in joint training (number; by default (1.0, 0.1, 0.0))
        order: concepts that are set right first (uncertain | random; by default "uncertain")
        recipe: training, such as epochs=40,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=40")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def constraints(
    net: NetLike,
    data: DataLike,
    *,
    layer: str | Module | None = None,
    hidden: int = 32,
    strengths: Sequence[float] = (0.001, 0.01, 0.1),
    samples: int = 10000,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Constraints

    Heads of one hidden layer, trained alike on what a layer gives: `heads` has one row for each.

    "non-negative" has weights W = raw² ≥ 0, "rising" positive weights and half of its units mirrored, so that
    every class's score can only rise with every input; "L1" adds a loss on activations, "winners" keeps the k largest.
    Violations by bounds are the derivatives by an input, of all classes in 16 boxes around held-out images, that
    cannot be shown to be 0 or more; those by samples are pairs of points in which a score falls although inputs rise.
    Three fourths of the images are trained on. Nothing of the network is changed.

    Source: Chorowski & Zurada 2015, section 2; Sivaraman et al. 2020, section 2; Makhzani & Frey 2014, section 2.1; Hoyer 2004, equation 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        layer: layer that the heads stand on, or pixels (text; by default None)
        hidden: number of hidden units (2 to 4096; by default 32)
        strengths: weights of the mean Σ |activation| of an image in the loss (number; by default (0.001, 0.01, 0.1))
        samples: number of pairs of points that are compared (1 to 1000000; by default 10000)
        recipe: training, such as epochs=40,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=40")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def cost(
    net: NetLike,
    data: DataLike,
    *,
    layer: str | Module | None = None,
    concepts: ConceptTable | str | Path | Mapping[str, Mapping[str, str | float]] | None = None,
    repeats: int = 2,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Cost of interpretability

    Accuracies of interpretable heads and of a plain one, on what a layer gives: `networks` has one row for each.

    Forms are those of `constraints` (non-negative weights, rising scores, L1, winners), of `modular` (sums over places
    and over groups of units), of `prototype_network` after its push, and with `concepts` a sequential bottleneck.
    Accuracy and cost are those of the first seed, with the error that the held-out images leave; `mean` and `spread`
    are over all seeds. Three fourths of the images are trained on. Nothing of the network is changed.

    Source: Rudin 2019, section 2 (the supposed trade-off); Chen et al. 2019, table 1; Koh et al. 2020, table 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        layer: layer that all forms stand on, or pixels (text; by default None)
        concepts: table of concepts for a bottleneck: a CSV file, or {class or image: {concept: value}} (CONCEPTS; by default None)
        repeats: number of seeds of each form (1 to 100; by default 2)
        recipe: training, such as epochs=40,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=40")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def infogan(
    net: NetLike,
    data: DataLike,
    *,
    categories: int | None = None,
    steps: int = 4000,
    side: int = 16,
    weight: float = 1.0,
    repeats: int = 1,
    seed: int = 0,
) -> Study:
    """InfoGAN

    G(z, c) makes images of 62 random numbers, one of K categories and two codes in −1..1, and Q reads c back:
    the table `categories` has one row for each.

    L_I = E log Q(c | G(z, c)) + H(c) is a lower bound of the mutual information of category and image, at most ln K;
    −log Q of the codes, a Gaussian of variance 1, counts a tenth. Images are the data's, as the network would be shown
    them, made small; the network's weights play no part. A fourth of the images is never trained on: how often their
    category is that of their class is counted with the best assignment of categories to classes, which is found on the
    others, and so for k-means of the pixels. Of several seeds that one is kept whose categories tell most about real
    images, which needs no labels.

    Source: Chen et al. 2016, equations 4 to 6 and section 7.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        categories: number of categories of the code (2 to 100; by default None)
        steps: number of steps of training, of 64 images each (1 to 1000000; by default 4000)
        side: side of the images that are made, in pixels, at most (4 to 32; by default 16)
        weight: weight of the bound in the generator's loss (0 or more; by default 1.0)
        repeats: number of seeds; kept is the one most sure of real images (1 to 20; by default 1)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def modular(
    net: NetLike,
    data: DataLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    parts: int = 6,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Modular network

    Logits Σ_parts f_part(x_part) + b, a small network f for each part: `networks` has one row for each form.

    Of places: every cell of a layer has the same f, and the logits are their mean; what lies outside a cell's field
    changes its contribution by nothing. Of units: groups of units whose responses to the training images are alike, by
    k-means, each with an f of its own. The grid `shares` says how much of a class's score the groups move from image
    to image, variances that sum to 1. The picture shows what each cell adds to the answer to held-out images: red for
    it, blue against it.

    Source: Brendel & Bethge 2019, section 2 (BagNets); Agarwal et al. 2021, section 2 (additive models).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        layers: layers whose cells are parts, the last also for groups of its units (by default None)
        parts: number of groups of units that respond alike (2 to 64; by default 6)
        recipe: training, such as epochs=40,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=40")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def priors(
    net: NetLike,
    data: DataLike,
    *,
    banks: Sequence[Literal["gabor", "opponent", "steerable", "cosines"]] = ("gabor", "opponent", "steerable", "cosines"),
    shares: Sequence[float] = (0.25, 0.5, 1.0),
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Handcrafted priors

    Small networks with a first layer of 7 × 7 filters each: `networks` has one row for each and number of images.

    Fixed filters are buffers, not weights, so that no gradient reaches them; one number for each map may scale it.
    Gabor filters are of four orientations and two wavelengths, opponent ones see luminance, red against green and blue
    against yellow, steerable ones are derivatives of a Gaussian, cosines those of the discrete cosine transform. The
    images are the network's, made small; a fourth of them judges.

    Source: Daugman 1985, equation 1 (Gabor); Freeman & Adelson 1991, section II (steerable); Oyallon et al. 2017, section 4 (few images).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        banks: filters that are written down, to compare (by default ("gabor", "opponent", "steerable", "cosines"))
        shares: shares of the training images that are used (number; by default (0.25, 0.5, 1.0))
        recipe: training, such as epochs=20,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=20")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def prototype_network(
    net: NetLike,
    data: DataLike,
    *,
    layer: str | Module | None = None,
    each: int = 2,
    width: int = 32,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Prototype network

    d² from each prototype to the nearest of an image's cells, s = log((d² + 1) / (d² + ε)), a class's score Σ w · s:
    `prototypes` has one row for each, `networks` one for each state of the training.

    Two layers of 1 × 1 make `width` numbers in 0..1 of each cell. First they and the prototypes learn, with the cross
    entropy + .8 · cluster − .08 · separation, while w is 1 for a class's own prototypes and −½ for others. Then each
    prototype is moved onto the nearest cell of a training image of its class, and is that cell from then on. At last
    w alone is trained, with .0001 · Σ |w| of other classes. The picture shows the prototypes that gave the answer to a
    few held-out images the most points. Raises PellucidError where a class has no training image.

    Source: Chen et al. 2019, sections 2.1 to 2.3; Hoffmann et al. 2021, section 3 (alike to whom).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        layer: layer whose cells are compared (text; by default None)
        each: number of prototypes of each class (1 to 100; by default 2)
        width: number of values in which cells are compared (1 to 4096; by default 32)
        recipe: training, such as epochs=40,lr=0.003,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=40")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def soft_autoencoder(
    net: NetLike,
    data: DataLike,
    *,
    noise: float = 0.2,
    knobs: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
    patches: int = 2000,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Soft autoencoder

    x -> decode(η_b(encode(x))) with η_b(x) = sgn(x) · max(|x| − b, 0), one b ≥ 0 for each of 64 channels: `levels`
    has one row for each strength of noise.

    Encoder and decoder are 64 filters of 8 × 8 pixels, 2 pixels apart; the plain twin has rectifiers without
    thresholds instead. Both learn to restore patches of up to 32 pixels with Gaussian noise, and are judged on the
    middles, up to 96 pixels wide, of images that they were not trained on, up to 200 in all. With Haar's filters the
    same module is wavelet shrinkage. Restored images are cut to 0..1 and shown to the network, of which nothing is
    trained.

    Source: Fan et al. 2020, equations 2 and 3; Donoho 1995, section 2 (soft thresholds of wavelets).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        noise: standard deviation of the noise, pixels being 0..1 (number; by default 0.2)
        knobs: numbers by which all thresholds are multiplied after training (number; by default (0.0, 0.5, 1.0, 1.5, 2.0, 3.0))
        patches: number of patches to train on (16 to 1000000; by default 2000)
        recipe: training, such as epochs=6,lr=0.002,batch=32,optimizer=adam,seed=0 (NAME=VALUE,…; by default "epochs=6")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
