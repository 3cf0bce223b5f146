"""Units: what each unit responds to, measured over a data set."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pathlib import Path
from pellucid.images.perturb import PictureLike
from pellucid.index.index import IndexLike
from pellucid.index.several import IndexesLike
from pellucid.index.unit import UnitLike
from pellucid.net import NetLike
from pellucid.result.colors import ColorSelectivity
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures
from pellucid.result.projections import Projections
from pellucid.result.receptive import ReceptiveFields
from pellucid.result.report import Report
from pellucid.result.table import Table
from pellucid.result.unit_page import UnitPage
from torch.nn.modules.module import Module
from typing import Literal
from pellucid.images.concepts import Concepts as Concepts
from pellucid.index.index import Index as Index
from pellucid.index.several import Indexes as Indexes
from pellucid.index.unit import Unit as Unit
from pellucid.index.make import index as index
from pellucid.methods.units.table import table as table

def ablation(
    index: IndexLike,
    unit: UnitLike,
    *,
    value: Literal["zero", "mean"] = "zero",
    count: int = 128,
    controls: int = 4,
    seed: int = 0,
) -> Report:
    """Ablation

    What changes without a unit: one row for each class of the images, and one row for each unit above it.

    The unit's channel is set to 0, or to its mean over the index, at all places. `classes` has the probability of
    each image's class and the accuracy, before and after; the class is the image's own where the index knows
    it by a name that the network has, and else what the network answers with the unit in place. `above` has the units
    of later layers, those first whose largest activation changes most: a positive fall says that the unit fed them.
    Errors are standard errors over the images; `controls` are other units of the layer removed in the same way.

    Source: Morcos et al. 2018, section 2.2; Zhou et al. 2018 (ablation), section 3.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        value: value that replaces the unit's activation everywhere (zero | mean; by default "zero")
        count: number of images, drawn at random from the index (2 or more; by default 128)
        controls: number of other units of the layer to compare with, drawn at random (0 or more; by default 4)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def color(
    index: IndexLike,
    *,
    layers: list[str] | tuple[str, ...] | None = None,
    count: int = 50,
    max_units: int = 64,
    threshold: float = 0.25,
    seed: int = 0,
) -> ColorSelectivity:
    """Color coding

    How choosy the units of each layer are about color, and which hues they want: (N, 4) numbers for N units.

    Selectivity is 1 − Σ a' / Σ a, with a the activations on the unit's strongest images and a' those at the same
    places of the same images in gray (brightness). Hue, chroma and opposition are those of the neuron feature, the
    mean patch: in the plane of red − green and (red + green) / 2 − blue the axis that has most of its chroma, and on
    it the stronger end; opposition is 0 for one hue, 1 for two opposite ones in equal parts. The axis of a layer is
    that of its units' hues, weighted by selectivity and chroma. In deep layers patches have little in common pixel by
    pixel: the mean of any of them comes close to the mean of all photos, and so does its hue.

    Beside them: the axis along which the colors of the images themselves lie, and the two cardinal axes of
    cone-opponent cells in the primate's lateral geniculate nucleus, L−M and S. Rafegas and Vanrell found in a network
    trained on photos four opponent axes in the first layer (black-white, red-cyan, blue-yellow, magenta-green), and
    in the second one main axis, bluish-orangish, which is also that of the photos.

    The network is run once over each image that is among the strongest of any of the units.

    Source: Rafegas & Vanrell 2018, section 3; Derrington, Krauskopf & Lennie 1984.

    Args:
        index: An index, or the folder that it lies in.
        layers: layers whose units are measured (by default None)
        count: number of strongest images measured for each unit (1 or more; by default 50)
        max_units: maximum number of units measured in a layer, drawn at random (1 or more; by default 64)
        threshold: selectivity above which a unit counts as color-selective (0 to 1; by default 0.25)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def compare(
    index: IndexLike,
    other: IndexLike,
    *,
    layer: str | None = None,
    other_layer: str | None = None,
    shuffles: int = 20,
    examples: int = 3,
    seed: int = 0,
) -> Report:
    """Units compared

    Two networks over the same images: one row for each unit of either, first those that are gone and new.

    Units are matched one to one so that the correlations of their largest activations, over the images that both
    probes have, add up to the most. A pair counts as matched where its correlation exceeds all that any two units
    reach when the images of one network are shuffled, in all `shuffles`, each among those that excite both layers
    about as much: with 20, networks that share nothing more than that would have any match at all in one of 21
    comparisons. The others are gone (of the first) and new (of the second). Images that are alike among
    themselves, such as windows of the same photo, make the true level of chance higher.

    Source: Li et al. 2016 (convergent learning), section 3: one-to-one matching by correlation.

    Args:
        index: An index, or the folder that it lies in.
        other: An index, or the folder that it lies in.
        layer: layer of the first network (text; by default None)
        other_layer: layer of the second network (text; by default None)
        shuffles: number of shuffles of the images, to measure what chance gives (1 or more; by default 20)
        examples: number of pairs of each kind whose patches are shown (0 or more; by default 3)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def dissection(
    index: IndexLike,
    *,
    layers: list[str] | tuple[str, ...] | None = None,
    share: float = 0.005,
    min_iou: float = 0.04,
    examples: int = 8,
    concepts: Concepts | str | Path,
) -> Report:
    """Network dissection

    How well each unit marks out each concept: one row for each unit, and one row for each concept.

    A unit is active where its map, read at every pixel with its cells placed where they see, is above its
    threshold, which a `share` of its activations over the images of the index exceeds. Its overlap with a concept
    is, over all images with masks, the pixels of both, over those of either; the unit's are counted in the images
    that have any concept of that category. Where it is above `min_iou`, the unit is a detector of the concept that it
    overlaps most. `findings` gives the number of unique detectors (concepts that have one) and how many detectors there
    would be by chance, with the masks of other images: of few images and many concepts, most.
    Masks are cut and resized as their images are.

    Source: Bau et al. 2017, section 2, equation 1 (IoU of units and concepts).

    Args:
        index: An index, or the folder that it lies in.
        layers: layers whose units are scored (by default None)
        share: share of a unit's activations that count as active (number; by default 0.005)
        min_iou: overlap (IoU) above which a unit counts as a detector (number; by default 0.04)
        examples: number of detectors whose patches are shown (1 or more; by default 8)
        concepts: folder with images/, masks/ of class numbers, and classes.csv (CONCEPTS; required)
    """

def evolution(
    indexes: IndexesLike,
    unit: UnitLike,
    *,
    count: int = 6,
    top: int = 20,
) -> Report:
    """Evolution of a unit

    A unit at every checkpoint, all over the same images: one row for each, and its strongest patches.

    Each checkpoint is an index; the last is what the others are compared with, by the overlap (Jaccard) of the `top`
    strongest images and by the correlation of the unit's largest activations over the probe. A correlation is
    unknown where the unit gives the same on all images. Refused where the indexes are of other images, or the
    layer is not in all of them with as many channels.

    Source: Zeiler & Fergus 2013, section 4.1 and figure 4 (feature evolution in training).

    Args:
        indexes: Two indexes or more, or their folders, first to last.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of patches of each checkpoint (1 or more; by default 6)
        top: number of strongest images whose overlap is counted (1 or more; by default 20)
    """

def neuron_feature(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int | None = None,
    contrast: Literal["stretched", "mean"] = "stretched",
) -> Pictures:
    """Neuron feature

    The mean of the patches that excite a unit most, each weighted by its activation: (N, h, w, C), N = 1.

    Pixels are 8 bits, h × w is the receptive field. The patches lie on one another cell on cell: what they share
    stays, and what they do not share turns gray. Where a field reaches past the edge of its image, a pixel is the
    mean of the patches that have it; where less than a tenth of the weight has it, it is gray. Of fields larger than
    the image the part is shown that is not. A mean without contrast is stretched no more than fourfold. Beside it
    the strongest patch.

    Raises PellucidError for a unit that no image excites.

    Source: Rafegas, Vanrell, Alexandre & Arias 2020, section 3.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of strongest images (1 or more; by default None)
        contrast: contrast of the result: stretched from the darkest to the lightest color, or the mean itself (stretched | mean; by default "stretched")
    """

def page(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int = 9,
    feature: int = 50,
    seed: int = 0,
) -> UnitPage:
    """Unit page

    Everything about one unit: (N, ) strongest patches, the weakest, a spread, and what the index counted.

    The spread shows one image from each tenth of a random sample, because the strongest alone mislead: a unit is on
    in many images that look nothing like them. Beside the strongest patches stands what in them excites the unit
    (guided backpropagation), and their weighted mean, the neuron feature; below, how its activations are distributed,
    which classes excite it in the mean, and which units are excited by the same images.

    Source: Zeiler & Fergus 2013, figure 2; Yosinski et al. 2015, section 2; Olah et al. 2020, section 1.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of strongest images (1 to 100; by default 9)
        feature: number of patches that the neuron feature averages (1 or more; by default 50)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def receptive_field(
    net: NetLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    pictures: PictureLike | None = None,
    seed: int = 0,
) -> ReceptiveFields:
    """Receptive fields

    The receptive field of each layer's middle cell, theoretical and effective: (N, H, W) maps, one for each layer.

    The theoretical field is every pixel that can change the cell, by the arithmetic of the graph. The effective one
    is how much they do: the gradient of the cell, summed over its channels, with respect to the pixels; its
    magnitude, summed over colors and averaged over the images, in shares that sum to 1. It is usually much
    smaller, and shaped like a Gaussian: two standard deviations to every side are outlined. Both are as large as
    the image at most, where the theoretical one reaches outside.

    Raises Refused for a layer whose cells have no places, and BadNetwork where no image moves a cell.

    Source: Luo, Li, Urtasun & Zemel 2016, section 3; Araujo, Norris & Sim 2019, section 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        layers: layers to measure (by default None)
        pictures: images on which the effective field is measured (IMAGE; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def reconstruction(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int = 9,
    rule: Literal["deconvnet", "guided", "gradient"] = "guided",
) -> Projections:
    """Reconstructions

    The strongest patches and the one cell's activation projected back: (N, channels, H, W) in input pixels.

    The activation of the strongest cell alone is followed back to the pixels by the rule; it starts from 1, and the
    paper's projection, which starts from the activation, is that many times as large. Signed and raw; outside the
    cell's receptive field it is exactly zero. Behind a ReLU or ReLU6 it is followed from what that received, which
    is the same but for a cell at the bound of 6, where the derivative is zero and there would be nothing to see.

    Source: Zeiler & Fergus 2013, section 2.1 and figure 2; Springenberg et al. 2015, figure 3.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of strongest images (1 or more; by default 9)
        rule: backward rule of rectifiers: positive gradients (deconvnet), positive gradients of active inputs (guided), or the plain gradient (deconvnet | guided | gradient; by default "guided")
    """

def selectivity(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int | None = None,
    properties: Sequence[Literal["color", "class", "orientation", "symmetry", "shape"]] = ("color", "class", "orientation", "symmetry", "shape"),
    threshold: float = 1.0,
    step: int = 15,
    resamples: int = 200,
    seed: int = 0,
) -> Table:
    """Selectivity

    How much of a unit's activation depends on color, class, orientation, symmetry and shape: one row for each.

    What the unit saw in its strongest images is changed, and the unit read again at the same place of the same
    image; a is its activation before, a' after. Color: 1 − Σ a' / Σ a without color, once as in the paper (the
    first principal component of the opponent channels, stretched from 0 to 1, which alters contrast and can excite
    the unit more), once as brightness with the colors' mean and variance. Clipped is the mean of 1 − a' / a, each
    between 0 and 1. Orientation: 1 − Σ a' / Σ a after a turn. Symmetry: Σ a' / Σ a after a reflection in an axis
    (0° lies level), between 0 and 1. Shape: 1 − Σ a' / Σ a with the pixels shuffled.

    Class: with f the classes' shares of the activation and M the fewest classes whose shares reach the threshold,
    (N − M) / (N − 1). The population code is how many classes have f ≥ 0.1, the entropy Σ f log₂ 1/f. Over the
    whole data set: (μ_max − μ_others) / (μ_max + μ_others) of class means. Rows that need labels are absent
    where there are none. Units that can be negative can have values above 1.

    Source: Rafegas, Vanrell, Alexandre & Arias 2020, section 4; Morcos et al. 2018, equation 1.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of strongest images (1 or more; by default None)
        properties: properties to measure: color, class, orientation, symmetry, shape (by default ("color", "class", "orientation", "symmetry", "shape"))
        threshold: share of the activation that the leading classes must reach together (number; by default 1.0)
        step: step between the rotations that measure orientation, in degrees (5 to 180; by default 15)
        resamples: number of resamples of the images, for the error bars (2 or more; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def similar(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int = 10,
    among: Literal["layers", "layer"] = "layers",
    metric: Literal["correlation", "activation"] = "correlation",
    max_images: int | None = None,
) -> Table:
    """Similar units

    The units that are excited by what excites this one, most alike first: one row for each.

    Correlation is Pearson's, of the largest activations of both units over the random images of the index; no
    network is run. With `max_images` it is over so many of them, always the same: of n images a correlation r has a
    standard error of about (1 − r²)/√n. Shared is how many images are among the strongest of both. With
    metric="activation" the network is shown the unit's strongest images and every unit of its layer is read where this
    one is strongest: Σ a' / Σ a, with a' the other unit's activations there and a those on its own strongest images
    (as many). 1 means that they excite it as much as its own best. It is not symmetric, and it sees whether both want
    the same at the same place, which a correlation over images does not.

    Units that are the same everywhere have no correlation and are left out.

    Source: Rafegas, Vanrell, Alexandre & Arias 2020, section 4; Li et al. 2016, section 2.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of units to list (1 or more; by default 10)
        among: units to search: those of all layers, or of the unit's own layer (layers | layer; by default "layers")
        metric: measure of similarity: correlation of the maxima over all images, or activation on the unit's strongest patches (same layer) (correlation | activation; by default "correlation")
        max_images: maximum number of random images that a correlation is taken over (2 or more; by default None)
    """

def top_images(
    index: IndexLike,
    unit: UnitLike,
    *,
    count: int = 9,
) -> Patches:
    """Top images

    The images that excite a unit most and the receptive field of its strongest cell in each: (N, ) patches.

    Exact over the whole data set, one patch an image, best first; of equal activations the image that comes first
    in the data set. Images in which a rectified unit is at zero are none of its strongest. A field that reaches past
    the edge is shown with its outside marked. Values are activations.

    Source: Zeiler & Fergus 2013, section 4 and figure 2; Zhou et al. 2015, section 3.2.

    Args:
        index: An index, or the folder that it lies in.
        unit: A unit, or `layer:channel`, a pair of both, or the target that is the channel.
        count: number of strongest images (1 or more; by default 9)
    """
