"""Proxies: simple models that repeat a network, and how far they do."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.images import ImagesLike
from pellucid.index.index import IndexLike
from pellucid.learning.recipes import RecipeText
from pellucid.net import NetLike
from pellucid.result.decision_tree import DecisionTree
from pellucid.result.maps import Heatmap
from pellucid.result.report import Report
from pellucid.result.study import Study
from pellucid.target.base import TargetLike
from torch.nn.modules.module import Module
from typing import Literal, TypeVar, overload

def distill(
    index: IndexLike,
    *,
    temperature: float = 4.0,
    share: float = 0.9,
    soft: Literal["own", "folds"] = "own",
    groups: int | None = None,
    recipe: RecipeText | str = ...,
    seed: int = 0,
) -> Study:
    """Distillation

    Students with two convolutions, one row for each training, that learn from half of the images and are judged on
    the other half.

    The loss is (1 − share) · cross entropy of the hard labels + share · T² · KL of the softened answers. Hard labels
    are the true classes where they are known, else the network's answers. A second student begins elsewhere and is
    trained on images drawn anew: how often both agree. The pairs of classes are ranked by the softened answers of
    images that are answered rightly. Raises PellucidError for those of folds without labels.

    Source: Hinton, Vinyals & Dean 2015, section 2; Furlanello et al. 2018, section 3 (what wrong classes teach).

    Args:
        index: An index, or the folder that it lies in.
        temperature: number by which logits are divided before the softmax (number; by default 4.0)
        share: share of the loss that is about soft labels, the rest about hard ones (0 to 1; by default 0.9)
        soft: soft labels: the network's own, or those of last layers fitted to the labels of other images (folds) (own | folds; by default "own")
        groups: number of groups that the classes are joined into, by the weights of the last layer (2 to 1000; by default None)
        recipe: training, such as epochs=30,lr=0.002,batch=32,optimizer=adam (NAME=VALUE,…; by default "epochs=30")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def frontier(
    index: IndexLike,
    *,
    layer: str | None = None,
    leaves: Sequence[int] = (2, 4, 8, 16, 32, 64),
    groups: int | None = None,
    queries: int = 0,
    student: bool = False,
    seed: int = 0,
) -> Study:
    """Frontier of proxies

    Decision trees and rules of several sizes, linear read-outs of every embedded layer and the hierarchy of classes,
    one row for each, fitted to half of the images and judged on the other half.

    The size of a tree is two numbers for each test, one for each question and one for each leaf, of rules two for each
    test and one for each rule, of a read-out its weights, of the hierarchy its nodes and the last layer whose logits
    it reads. Raises Refused for queries at a layer that the last layer does not read.

    Source: Craven & Shavlik 1996, section 4 (fidelity and size); Breiman et al. 1984, section 2.4.

    Args:
        index: An index, or the folder that it lies in.
        layer: embedded layer whose units the proxy asks about (text; by default None)
        leaves: numbers of leaves of the trees, and of those that rules are of (whole number; by default (2, 4, 8, 16, 32, 64))
        groups: number of groups that the classes are joined into, by the weights of the last layer (2 to 1000; by default None)
        queries: number of inputs for each node of trees that put them to the last layer; 0: no such trees (0 to 100000; by default 0)
        student: train a small network on the softened answers as well, as distill does (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def hierarchy(
    index: IndexLike,
    *,
    image: str | None = None,
) -> DecisionTree:
    """Hierarchy of classes

    The classes of a network as a binary tree, (M,) nodes, and soft and hard decisions about (N,) images of an index.

    The rows of the last layer's weights are brought to unit length and joined by Ward's method. A node scores the mean
    of the logits below it, bias included. Soft: a class has the product of the softmaxes along its way, and these
    products have the sum 1; hard: the likelier child is followed. Nothing is fitted to the images, so all of them
    judge. Raises Refused where the network does not end in a linear layer and a softmax, UnknownName for an image that
    the index does not have.

    Source: Wan et al. 2021, sections 3.1 and 3.2 (NBDT; without tree supervision).

    Args:
        index: An index, or the folder that it lies in.
        image: image of the index whose decisions are drawn, by its name or number (text; by default None)
    """

def linear(
    index: IndexLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    groups: int | None = None,
    penalty: float = 0.01,
    seed: int = 0,
) -> Study:
    """Linear read-outs

    Softmax regressions on embedded layers, one row for each, fitted to the network's answers on half of the images:
    their fidelity on the other half.

    Beside it the accuracy of a read-out of the labels, where there are some, and the control: a read-out of the same
    features fitted to answers that were shuffled. Features are brought to mean 0 and variance 1 over the images that
    are fitted to, so that one penalty is fair to all layers. Raises PellucidError for a layer that is not embedded.

    Source: Alain & Bengio 2017, section 3; Hewitt & Liang 2019, section 2 (control with random answers).

    Args:
        index: An index, or the folder that it lies in.
        layers: embedded layers that are read (by default None)
        groups: number of groups that the classes are joined into, by the weights of the last layer (2 to 1000; by default None)
        penalty: penalty on the squared weights of a read-out (number; by default 0.01)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def rules(
    index: IndexLike,
    *,
    layer: str | None = None,
    leaves: int = 12,
    groups: int | None = None,
    seed: int = 0,
) -> Report:
    """Rules

    Rules from the ways of a decision tree to its leaves, one row for each, made from half of the images and judged
    on the other half.

    Tests of one unit in one direction are merged, tests left out that cost a rule no precision on the images that it
    is made from, and rules sorted by how many images they hold for. The first that holds answers. Patches show what
    the units of the first rules are most excited by, where the index has the layer's units. Raises PellucidError for a
    layer that is not embedded.

    Source: Quinlan 1987, section 3 (from trees to rules); Breiman et al. 1984, section 2.4.

    Args:
        index: An index, or the folder that it lies in.
        layer: embedded layer whose units the proxy asks about (text; by default None)
        leaves: number of leaves at most of the tree that rules are made from (2 to 1000; by default 12)
        groups: number of groups that the classes are joined into, by the weights of the last layer (2 to 1000; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def surrogate(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | None = None,
    players: Literal["groups", "channels", "cells"] = "groups",
    fit: Literal["lime", "shapley"] = "lime",
    samples: int = 1000,
    hidden: Literal["zero", "mean"] = "zero",
    seed: int = 0,
) -> Heatmap:
    """Surrogate at a layer

    Coefficients of players of a layer, spread over the places where they are active: (N, rows, columns), signed.

    Players are groups of channels (non-negative factors of the layer's activation; what they leave is always shown),
    channels or cells. For `lime` each is shown with probability ½ and the model weighted by the cosine distance (width
    0.25, a penalty of 1e-6); for `shapley` coalitions are drawn by the Shapley kernel in pairs, or all are asked. Where
    the rest of the network is linear in the layer the coefficients are exact. The sum of the map is that of the
    coefficients. Notes name the strongest players with their standard errors; `Meta.found` has R² and the correlation
    with the coefficients of a second draw. Refused for groups of a layer with negative activations.

    Source: Ribeiro, Singh & Guestrin 2016, equation 1; Lundberg & Lee 2017, theorem 2 (section 4.1).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer at which the network is cut (text; by default None)
        players: parts that are shown or hidden: 8 groups of channels active together, channels, or cells (groups | channels | cells; by default "groups")
        fit: linear model: LIME's near the image, or the one whose coefficients are Shapley values (lime | shapley; by default "lime")
        samples: number of coalitions of players (4 to 1000000; by default 1000)
        hidden: activation of what is hidden: zero, or the mean over places of each channel (zero | mean; by default "zero")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def surrogate(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | None = None,
    players: Literal["groups", "channels", "cells"] = "groups",
    fit: Literal["lime", "shapley"] = "lime",
    samples: int = 1000,
    hidden: Literal["zero", "mean"] = "zero",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Surrogate at a layer: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer at which the network is cut (text; by default None)
        players: parts that are shown or hidden: 8 groups of channels active together, channels, or cells (groups | channels | cells; by default "groups")
        fit: linear model: LIME's near the image, or the one whose coefficients are Shapley values (lime | shapley; by default "lime")
        samples: number of coalitions of players (4 to 1000000; by default 1000)
        hidden: activation of what is hidden: zero, or the mean over places of each channel (zero | mean; by default "zero")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def tree(
    index: IndexLike,
    *,
    layer: str | None = None,
    leaves: int = 12,
    groups: int | None = None,
    queries: int = 0,
    draws: Literal["neighbors", "marginals"] = "neighbors",
    seed: int = 0,
) -> DecisionTree:
    """Decision tree

    A decision tree on the units of an embedded layer, grown on half of the images to give the network's answers and
    judged on the other half: (K,) nodes, the root first.

    A unit's value is the mean of its map, as the index keeps it. The leaf that is asked next is the one whose question
    takes most off Gini's impurity. With `queries` it is TREPAN: the leaf that errs most is asked next, inputs are drawn
    from those that reach it and answered by the network's last layer, and a question may be that at least m of n units
    are above or below their thresholds. Raises Refused for queries at a layer that the last layer does not read.

    Source: Breiman et al. 1984, section 2.4 (CART); Craven & Shavlik 1996 (TREPAN, with queries).

    Args:
        index: An index, or the folder that it lies in.
        layer: embedded layer whose units the proxy asks about (text; by default None)
        leaves: number of leaves at most (2 to 1000; by default 12)
        groups: number of groups that the classes are joined into, by the weights of the last layer (2 to 1000; by default None)
        queries: number of inputs for each node, drawn and put to the last layer where fewer images reach it; 0: images alone, and a question asks about one unit (0 to 100000; by default 0)
        draws: inputs that are drawn: between neighboring images, or each unit by itself (marginals) (neighbors | marginals; by default "neighbors")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
