"""Quality: how far a map can be believed, measured."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from pellucid.evaluation.explainers import ExplainersLike
from pellucid.evaluation.truth import PairsLike, TruthLike
from pellucid.image_set import ImageSetLike
from pellucid.net import NetLike
from pellucid.result.study import Study
from typing import Literal
from pellucid.evaluation.trust import annotate as annotate
from pellucid.evaluation.trust import check as check
from pellucid.evaluation.summary import joined as joined

def average_drop(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    seed: int = 0,
) -> Study:
    """Average drop

    The image is multiplied by the map from 0 to 1, and the class is asked again: a lower drop is better.

    `drop` has one row for each method and each map that knows no network, by max(0, p − p′) / p, mean over the images,
    where p is the probability of the best guess and p′ that of the image seen through the map; `increase` by the share
    of the images with p′ > p, higher is better. The map is shifted and scaled to 0..1 for each image; where it is 0 the
    network sees the mean color of its training. A map that is bright nearly everywhere loses hardly anything:
    the figure says no more than how much the map shows. One that is the same everywhere is 0 everywhere and loses all.

    Source: Chattopadhay et al. 2018, section 5.1 (Grad-CAM++).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def axioms(
    net: NetLike,
    *,
    of: ExplainersLike = ...,
    networks: int = 3,
    seed: int = 0,
) -> Study:
    """Axioms

    Each axiom's relative error on small networks of which it is known what a map has to say; 0 where it is kept.

    `axioms` has one row for each method: completeness as its own Meta states it, what the sum of the map misses of the
    score where no bias takes part (conservation), the share of the map on pixels that the network does not look at
    (dummy), and the relative distances of maps that should be equal by symmetry, linearity and implementation
    invariance; `errors` is the same as (methods, 6). Maps of a layer are read at the pixels, so a coarse one spills
    over. `kinds` says which of nine kinds of small networks a method serves: residual, smooth, gated, depthwise,
    normed, in place, flattened, attention. The network that is asked about does not matter.

    Source: Sundararajan et al. 2017, sections 2 and 3; Bach et al. 2015, equation 2 (conservation).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        networks: number of random networks and images (1 to 1000; by default 3)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def deletion(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    fill: Literal["training_mean", "authors_blur", "neighbors", "gray", "black", "white", "mean", "blur", "noise"] = "training_mean",
    steps: int = 28,
    score: Literal["probability", "logit"] = "probability",
    seed: int = 0,
) -> Study:
    """Deletion

    Pixels are taken away in the order of the map, and the class's probability is followed: lower is better.

    `ranking` has one row for each method and each map that knows no network: the mean over the images of the area under
    the curve (share of the pixels that are gone, 0..1), with its 95 % interval, and a paired test against the best.
    `curves` holds the mean curve of each, (steps + 1,). The class is the network's best guess. Among equal values
    chance decides. With neighbors as `fill`, pixels that are gone are weighted means of those around them, found
    together as in `road` but without noise; where all are gone they have the mean color. Figures of other substrates,
    steps or scores are not comparable: `meta.found["protocol"]` says which these are. 28 steps are the authors' 1,792
    pixels at 224 × 224.

    Source: Petsiuk et al. 2018, section 4.1 (RISE), with the settings of the authors' program.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        fill: substrate of pixels that are taken away; training_mean is the authors' choice (training_mean | authors_blur | neighbors | gray | black | white | mean | blur | noise; by default "training_mean")
        steps: number of equal steps from no pixel to all of them (2 to 1000; by default 28)
        score: number that is followed: probability of the class, or its logit (probability | logit; by default "probability")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def infidelity(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    samples: int = 64,
    fill: Literal["training_mean", "authors_blur", "neighbors", "gray", "black", "white", "mean", "blur", "noise"] = "training_mean",
    score: Literal["probability", "logit"] = "logit",
    seed: int = 0,
) -> Study:
    """Infidelity

    Squares are taken away; the sum of the map inside should be what the class's logit loses: lower is better.

    `ranking` has one row for each method, by min over a factor β ≥ 0 of E (β Σ map − Δ)² / E Δ², mean over the images:
    0 where sums of the map are the changes Δ up to that factor, 1 where they say nothing, or the reverse. Squares have
    random sides of 1/16 to 1/3 of the image and random places, the same for every method. Maps in other units than the
    score's are judged by their shape alone.

    Source: Yeh et al. 2019, section 2 (definition 2.1) and section 4.1 (square removal, optimal scaling).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        samples: number of random squares that are taken away (4 to 100000; by default 64)
        fill: substrate of squares that are taken away (training_mean | authors_blur | neighbors | gray | black | white | mean | blur | noise; by default "training_mean")
        score: number that is followed: probability of the class, or its logit (probability | logit; by default "logit")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def insertion(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    fill: Literal["training_mean", "authors_blur", "neighbors", "gray", "black", "white", "mean", "blur", "noise"] = "authors_blur",
    steps: int = 28,
    score: Literal["probability", "logit"] = "probability",
    seed: int = 0,
) -> Study:
    """Insertion

    Pixels are put into a blurred picture in the order of the map, and the class is followed: higher is better.

    `ranking` has one row for each method and each map that knows no network: the mean over the images of the area under
    the curve (share of the pixels that are there, 0..1), with its 95 % interval, and a paired test against the best.
    `curves` holds the mean curve of each, (steps + 1,). With neighbors as `fill` the picture is no longer one alone: at
    each step what is missing is filled from the pixels that are there. All else is as in `deletion`.

    Source: Petsiuk et al. 2018, section 4.1 (RISE), with the settings of the authors' program.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        fill: picture that pixels are put into; authors_blur is the authors' choice (training_mean | authors_blur | neighbors | gray | black | white | mean | blur | noise; by default "authors_blur")
        steps: number of equal steps from no pixel to all of them (2 to 1000; by default 28)
        score: number that is followed: probability of the class, or its logit (probability | logit; by default "probability")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def label_randomization(
    net: NetLike,
    *,
    of: ExplainersLike = ...,
    digits: int = 40,
    magnitude: bool = False,
    seed: int = 0,
) -> Study:
    """Label randomization

    Two small networks learn 400 digits, one by their labels, one by labels drawn at random: maps should differ.

    Both begin with the same weights and are trained until 98 % of their labels are right, which the second can only
    know by heart. Each map of a digit, for the class that the first network gives it, is compared with that of the
    second: `ranking` has one row for each method, by the size of the rank correlation, lower is better; `similarity`
    is (methods, 3) means of the rank correlation, the structural similarity, and the share that the highest tenths
    have in common. `edges` is the same for both: 1 is what a map has that only shows the image. The network that is
    asked about does not matter.

    Source: Adebayo et al. 2018, section 4 (the data randomization test).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        digits: number of digits whose maps are compared (1 to 400; by default 40)
        magnitude: compare the magnitudes of maps, without their signs (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def planted_bias(
    net: NetLike,
    *,
    of: ExplainersLike = ...,
    digits: int = 30,
    repair: bool = True,
    seed: int = 0,
) -> Study:
    """Planted bias

    Two small networks saw a bright corner in some digits; for one it means a three, for its twin nothing.

    Both are asked why a three with the tag is a three. `planted` has one row for each method and each map that knows no
    network: `found` is the chance that more of the absolute attribution lies on the tag for the network that uses it
    than for its twin, 1 for a map that finds the bias. What only shows the image is the same for both: 0.5. `repaired`
    is the accuracy on other digits with the tag after `right_reasons` held this explanation down there, beside that of
    the network as it was and of training without a penalty, which `meta.found` has. A tag of 3 × 3 pixels is smaller
    than a cell of coarse maps. The network that is asked about does not matter.

    Source: Ross et al. 2017, section 4 (decoys); Adebayo et al. 2020, section 4 (spurious correlation).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        digits: number of digits whose maps are compared, at most (4 to 60; by default 30)
        repair: repair the network as well, by the methods that training can use (yes | no; by default True)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def randomization(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    order: Literal["cascading", "independent"] = "cascading",
    steps: int = 6,
    magnitude: bool = False,
    seed: int = 0,
) -> Study:
    """Randomization

    Layers are drawn anew, and each map is compared with that of the trained network: lower is better.

    A map that stays as it was does not show what the network has learned. `ranking` has one row for each method, by the
    size of the rank correlation, mean over the steps; at the last of them, with `cascading`, no trained layer is left,
    and nearly every map is another one. The curves are means over the images at every step, one for each way of
    comparing: rank correlation, structural similarity, and the share that the highest tenths of both have in common. A
    method whose map is much the same with half of the layers drawn anew is named. The trained network is none of the
    steps, and the class stays its best guess. Weights are normal with the mean and the standard deviation of each
    tensor; statistics of norms stay. `edges` is the same for every network: 1 is what a map has that only shows the
    image.

    Source: Adebayo et al. 2018, section 3 (cascading and independent randomization).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        order: way of drawing anew: from the last layer down to ever more, or one layer at a time (cascading | independent; by default "cascading")
        steps: number of networks, equally spaced over the layers from the last (1 to 1000; by default 6)
        magnitude: compare the magnitudes of maps, without their signs (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def report(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    steps: int = 8,
    boxes: TruthLike | None = None,
    classes: PairsLike | None = None,
    planted: bool = True,
    seed: int = 0,
) -> Study:
    """Report of properties

    Exactness, consistency, completeness, universality and reward of each method, and what it names, on one page.

    `properties` has one row for each method and each map that knows no network; its help says how each figure was made.
    Exactness is what sums of the map foretell of removals (1 − infidelity), consistency how far the map stays the same
    under changes that should not matter, completeness the error of the sum that the method claims, universality which
    kinds of networks it serves; deletion, insertion and ROAD say whether what it names is what the network uses, and
    the map under random weights whether it shows what was learned. The reward is what is gained: whether the map finds
    a planted bias, the accuracy after a repair by it (`planted_bias` says how), and with `boxes`, or masks, of things
    how well it finds things that nobody had drawn for the network. The other tables rank the methods by one measure
    each, with 95 % intervals and paired tests. Each map is made once and judged in all these ways; slow methods are
    asked with the options that answer within seconds, and `meta.found["asked"]` says which.

    Source: Yeh et al. 2019, section 2; Adebayo et al. 2018, section 3; Petsiuk et al. 2018, section 4.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "ablation_cam,blur_integrated_gradients,cam,deconvnet,deep_lift,excitation_backprop,expected_gradients,extremal_perturbation,finer_cam,full_grad,grad_cam,grad_cam_plus_plus,gradient,gradient_times_input,guided_backprop,guided_grad_cam,guided_integrated_gradients,hires_cam,integrated_gradients,kernel_shap,layer_cam,lime,lrp,occlusion,occlusion_rank,rise,score_cam,shapley_sampling,smooth_grad,sobol,x_grad_cam,xrai")
        steps: number of steps of each curve from no pixel to all (4 to 1000; by default 8)
        boxes: boxes or masks of things: CSV, COCO JSON, or a folder of YOLO, Pascal VOC or mask files (TRUTH; by default None)
        classes: JSON file {class of the truth: [classes of the network]}, or rows of image, label and class (PAIRS; by default None)
        planted: measure whether maps find a bias that was planted in a small network, and repair it (yes | no; by default True)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def road(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    shares: int = 9,
    score: Literal["probability", "logit"] = "probability",
    seed: int = 0,
) -> Study:
    """ROAD

    Pixels are taken away and filled from their neighbors, so that holes have no shape: higher is better.

    Once those that the map names first go first, once those that it names last; the figure is half of the difference
    of the class's probability between the two, mean over the shares (10 % to 90 % for 9 of them) and over the images.
    `ranking` has one row for each method and each map that knows no network, with 95 % intervals and paired tests;
    `first` and `last` hold the mean curves (shares,). Smooth maps are favored: compare with `blurred_random`, which
    knows no network.

    Source: Rong et al. 2022, sections 4 and 5 (remove and debias).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        shares: number of equally spaced shares of the pixels that are taken away (1 to 49; by default 9)
        score: number that is followed: probability of the class, or its logit (probability | logit; by default "probability")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def sensitivity(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
) -> Study:
    """Sensitivity

    Uniform noise within the radius is added, and the map of the same class drawn again: lower is better.

    `max` has one row for each method, by the largest ‖Φ(x + δ) − Φ(x)‖ / ‖Φ(x)‖ of the noisy copies, `mean` by their
    mean; both are means over the images, with 95 % intervals and paired tests. A map that knows no network can be
    steady for no reason: `center` has 0. Sampled methods keep their random numbers.

    Source: Yeh et al. 2019, section 3 (definition 3.1, max-sensitivity); Bhatt et al. 2020, section 3 (mean).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        radius: largest change of a pixel, in pixel values from 0 to 1 (number; by default 0.02)
        samples: number of noisy copies of each image (1 to 10000; by default 10)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def stability(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    quality: int = 75,
    shift: int = 4,
    crop: float = 0.875,
    seed: int = 0,
) -> Study:
    """Stability

    The map is drawn again after five changes, and compared by the correlation of ranks, −1..1: higher is better.

    `changes` holds (methods, 5): the image through a JPEG file; moved down and right with mirrored borders, its map
    moved back and compared where both have pixels; its middle alone, compared there; another seed, for methods that
    draw random numbers; and an input shift, (p + 1) / 2 instead of every pixel p, which a first step of the network
    takes back, so that nothing that it computes is changed. `ranking` has one row for each method, by the mean of the
    five, with 95 % intervals and paired tests over the images. A map that knows no network may be stable, too: `center`
    is, always.

    Source: Alvarez-Melis & Jaakkola 2018, section 4 (robustness); Kindermans et al. 2019, section 3 (input shift).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        quality: quality of the JPEG file, 1 to 100 of its scale (1 to 100; by default 75)
        shift: distance that the image is moved by, in pixels (1 to 1000; by default 4)
        crop: share of each side that a crop keeps, which is stretched to the whole (0.1 or more; by default 0.875)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def sufficiency(
    net: NetLike,
    images: ImageSetLike,
    *,
    of: ExplainersLike = ...,
    fill: Literal["training_mean", "authors_blur", "neighbors", "gray", "black", "white", "mean", "blur", "noise"] = "authors_blur",
    share: float = 0.5,
    steps: int = 28,
    seed: int = 0,
) -> Study:
    """Sufficiency

    Pixels are put into a blurred picture in the order of the map until the class is back: fewer are better.

    `ranking` has one row for each method, by the share of the pixels (0..1) at which the probability of the best guess
    first reaches `share` of that of the whole image, mean over the images, with 95 % intervals and paired tests. It is
    0 where the picture that the pixels are put into is enough already.

    Source: Carter et al. 2019, section 3 (sufficient input subsets); Dabkowski & Gal 2017, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it.
        of: attribution methods with their options, with commas between, or 'all'; baselines are added (METHOD,…; by default "grad_cam,occlusion,guided_backprop")
        fill: picture that pixels are put into (training_mean | authors_blur | neighbors | gray | black | white | mean | blur | noise; by default "authors_blur")
        share: share of the image's own probability that has to be reached (number; by default 0.5)
        steps: number of equal steps from no pixel to all of them (2 to 1000; by default 28)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
