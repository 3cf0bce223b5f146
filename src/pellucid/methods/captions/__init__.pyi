"""Captions: sentences, answers, and what words were made from."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pathlib import Path
from pellucid.images import ImagesLike
from pellucid.images.concepts import Concepts
from pellucid.index.index import IndexLike
from pellucid.learning.recipes import RecipeText
from pellucid.net import NetLike
from pellucid.result.captions import Captions
from pellucid.target.base import TargetLike
from torch.nn.modules.module import Module
from typing import TypeVar, overload

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def because(
    index: IndexLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    concepts: Concepts | str | Path,
    layer: str | Module | None = None,
    count: int = 3,
    min_iou: float | None = None,
    points: int = 16,
) -> Captions:
    """Because

    A sentence for each image, up to `count` phrases with their shares of the score, (N, count), and maps of these.

    With A the activations of the layer and g the gradient of the score there, its mean at `points` on the way from
    zero, A ∘ g sums to the score less that of a layer of zeros. A concept's share is the sum over its detectors that
    are active somewhere in the image: units whose map reaches what 0.5 % of their activations over the index exceed,
    and whose overlap with the concept is the largest of all and above `min_iou`, by default above chance. `values`
    (N, count, 1, rows, columns) are the cells of that sum. A phrase must speak for the target. `shares` has one row for
    each image, with all that the sentence leaves out; `rest` is the score less the phrases. Refused where the layer has
    no places.

    Source: Bau et al. 2017, section 2; Zhou et al. 2018 (Interpretable Basis Decomposition), section 3, equation 4.

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        concepts: folder with images/, masks/ of class numbers, and classes.csv (CONCEPTS; required)
        layer: layer whose units the phrases are about (text; by default None)
        count: number of phrases, at most (1 to 12; by default 3)
        min_iou: overlap (IoU) above which a unit counts as a detector (number; by default None)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
    """

@overload
def because(
    index: IndexLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    concepts: Concepts | str | Path,
    layer: str | Module | None = None,
    count: int = 3,
    min_iou: float | None = None,
    points: int = 16,
) -> tuple[Captions, ...]:
    """Because: one result for each target.

    Args:
        index: An index, or the folder that it lies in.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        concepts: folder with images/, masks/ of class numbers, and classes.csv (CONCEPTS; required)
        layer: layer whose units the phrases are about (text; by default None)
        count: number of phrases, at most (1 to 12; by default 3)
        min_iou: overlap (IoU) above which a unit counts as a detector (number; by default None)
        points: number of points between no activation and the layer's own at which gradients are taken; 1: at the image alone (1 to 256; by default 16)
    """

def captioner(
    net: NetLike,
    images: ImagesLike,
    *,
    table: str | None = None,
    layer: str | Module | None = None,
    samples: int = 3000,
    coverage: float = 0.0,
    beam: int = 3,
    recipe: RecipeText | str = ...,
) -> Captions:
    """Captioner

    A caption for each image in up to K words, with the log probability of each, (N, K), and its maps.

    `values` (N, K, 3, rows, columns) are of each word the attention, and of the gradient g of its log probability at
    the cells a: Grad-CAM Σ_c mean(g_c) a_c and Σ_c g_c a_c, raw. The caption is the most probable that a beam finds.
    The loss is −log p of each word + `coverage` · Σ over cells (1 − Σ over words of the attention)², over the number of
    words. Held-out images judge what the captioner says by itself, never what it says after words of the truth: 200
    other scenes, or a fourth of the rows; `inside` has one row for each map of each word that names an object, with its
    share on that object. Without `layer` the network that is asked about gives nothing. Raises PellucidError in one
    line for a table that cannot be read.

    Source: Xu et al. 2015, sections 3.1.2 and 4.2 (doubly stochastic attention); Selvaraju et al. 2017, section 7.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        table: file of images and sentences to learn from, a .csv with the columns image and sentence (text; by default None)
        layer: layer of the network whose cells the captioner attends to, which is not trained (text; by default None)
        samples: number of scenes, or of rows at most, to learn (8 to 100000; by default 3000)
        coverage: weight of the loss that asks for even attention over the whole sentence (0 or more; by default 0.0)
        beam: number of captions kept in the search; 1: greedy (1 to 20; by default 3)
        recipe: training, such as epochs=14,lr=0.004,batch=32,optimizer=adam,seed=0 (NAME=VALUE,…; by default "epochs=14")
    """

def vqa(
    net: NetLike,
    images: ImagesLike,
    *,
    questions: list[str] | tuple[str, ...] | None = None,
    samples: int = 5000,
    recipe: RecipeText | str = ...,
) -> Captions:
    """Visual question answering

    Of each image the answer to K questions with its log probability, (N, K), and its maps.

    `values` (N, K, 3, rows, columns) are attention, and of the gradient g of the answer's log probability at the cells
    a Grad-CAM Σ_c mean(g_c) a_c and Σ_c g_c a_c, raw. 200 other scenes judge it, with all questions that they answer;
    `inside` has one row for each map of each kind of question. The network that is asked about does not matter. Raises
    UnknownName, with the nearest, for a question that it has not learned.

    Source: Selvaraju et al. 2017, section 8.1; Yang et al. 2016 (stacked attention), section 3.3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        questions: questions such as 'what color is the square' or 'what shape is red' (by default None)
        samples: number of generated scenes to learn from (8 to 100000; by default 5000)
        recipe: training, such as epochs=25,lr=0.002,batch=32,optimizer=adam,seed=0 (NAME=VALUE,…; by default "epochs=25")
    """
