"""Attribution: which parts of an image decide a prediction."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.catalogue.ask import Ask, Parts
from pellucid.images import ImagesLike
from pellucid.images.perturb import Fill, PictureLike
from pellucid.net import NetLike
from pellucid.result.maps import Heatmap, LabelMap, Panel
from pellucid.saliency.coalitions import Own
from pellucid.target.base import TargetLike
from torch.nn.modules.module import Module
from typing import Literal, TypeVar, overload

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def ablation_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    drop: Literal["relative", "difference"] = "relative",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Ablation-CAM

    Σ_k w_k A^k with w_k the fall of the score y to y_k when map k is set to 0: (N, rows, columns), signed, raw.

    No gradient is used, so saturation hides nothing. The relative fall is divided by |y|: with the paper's y the map
    of a negative score would have its sign turned. Meant for layers behind a rectifier, where 0 means nothing is
    there. One pass for each channel. Several layers give one map of pixels (N, H, W), the mean of the layers' raw
    maps. Refused where a layer has no places.

    Source: Desai & Ramaswamy 2020, section 3 (slope of a unit).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        drop: measure of the score drop: (y − y_k) / |y| as in the paper, or the difference y − y_k (relative | difference; by default "relative")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def ablation_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    drop: Literal["relative", "difference"] = "relative",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Ablation-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        drop: measure of the score drop: (y − y_k) / |y| as in the paper, or the difference y − y_k (relative | difference; by default "relative")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def blur_integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    sigma: float = 50,
    steps: int = 512,
    tolerance: float = 0.01,
    spacing: Literal["adaptive", "linear", "sqrt"] = "adaptive",
) -> Heatmap:
    """Blur integrated gradients

    Σ of (what a step of sharpening adds to a pixel) × gradient there: (N, H, W), signed, in units of the score.

    The way leads from the image blurred by `sigma` to the image itself, through all blurs between; edges are
    mirrored. No color stands for nothing: what is explained is what the detail adds. The map sums to the score less
    that of the blurred image, up to the error of the steps, which `Meta.completeness` holds; a right sum does not
    prove every pixel right.

    Source: Xu, Venugopalan & Sundararajan 2020, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        sigma: standard deviation of the blur at the start of the path, in pixels of the network's input (number; by default 50)
        steps: number of gradients; the maximum with adaptive spacing, else the exact number (1 to 4096; by default 512)
        tolerance: largest error of the sum, as a share of the change of the score, at which adaptive steps stop (0 to 1; by default 0.01)
        spacing: spacing of the steps: where the sum is wrong, equal in sigma, or equal in the square root of scale, as in the paper (adaptive | linear | sqrt; by default "adaptive")
    """

@overload
def blur_integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    sigma: float = 50,
    steps: int = 512,
    tolerance: float = 0.01,
    spacing: Literal["adaptive", "linear", "sqrt"] = "adaptive",
) -> tuple[Heatmap, ...]:
    """Blur integrated gradients: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        sigma: standard deviation of the blur at the start of the path, in pixels of the network's input (number; by default 50)
        steps: number of gradients; the maximum with adaptive spacing, else the exact number (1 to 4096; by default 512)
        tolerance: largest error of the sum, as a share of the change of the score, at which adaptive steps stop (0 to 1; by default 0.01)
        spacing: spacing of the steps: where the sum is wrong, equal in sigma, or equal in the square root of scale, as in the paper (adaptive | linear | sqrt; by default "adaptive")
    """

@overload
def cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
) -> Heatmap:
    """Class activation map

    Σ_k w_k A^k over the last maps A: (N, rows, columns), signed, in units of the score.

    Exact only where the score is a linear function of the maps' averages: then the mean of the map is the score
    less its bias. This is tested on the very images, and Refused with the reason where it does not hold; Grad-CAM
    has no such condition. A rectifier between the maps and their average that is no layer of its own, as in
    DenseNet, is seen through: A is then what it lets pass.

    Source: Zhou et al. 2016, equations 1 and 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
    """

@overload
def cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
) -> tuple[Heatmap, ...]:
    """Class activation map: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
    """

@overload
def deconvnet(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
) -> Heatmap:
    """Deconvnet

    The gradient with R · [R > 0] at every rectifier, whatever it did forward: (N, H, W) in input pixels.

    ReLU6, hardtanh and smooth units are rectified the same way; leaky and exponential units keep their slope.
    Max-pooling sends everything through its switches, as in the paper; without any, the projection hardly
    depends on the image (Springenberg et al. 2015, section 3.4), and Meta.notes says so. It starts from 1.
    The map hardly depends on the class, and its signs say nothing on the score (a note says so).
    Raises Refused where the network has no activation that the rule knows.

    Source: Zeiler & Fergus 2013, section 2.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
    """

@overload
def deconvnet(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
) -> tuple[Heatmap, ...]:
    """Deconvnet: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
    """

@overload
def deep_lift(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    baseline: Fill | PictureLike = "black",
) -> Heatmap:
    """DeepLIFT

    (pixel − reference) × multiplier, summed over colors: (N, H, W), signed, in units of the score.

    The map sums to the score minus the reference's score: the multipliers of single numbers are Δy / Δx, of
    products the mean of the other factor, of max-pools the cross-maximum, on any graph and for any activation.
    Layer norms and softmax are taken apart into such steps, for each image alone. `Meta.completeness` is what the
    sum misses, relative to the difference. Several images as reference: the mean over them (DeepSHAP).

    Source: Shrikumar, Greenside & Kundaje 2017, section 3.5.1 (rescale); Lundberg & Lee 2017, section 4.2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        baseline: reference image: a named fill, or images of your own, over which the maps are averaged (by default "black")
    """

@overload
def deep_lift(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    baseline: Fill | PictureLike = "black",
) -> tuple[Heatmap, ...]:
    """DeepLIFT: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        baseline: reference image: a named fill, or images of your own, over which the maps are averaged (by default "black")
    """

def eigen_cam(
    net: NetLike,
    images: ImagesLike,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    centered: bool = False,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Eigen-CAM

    A · v, the activation along its first right singular vector v: (N, rows, columns), signed, in the layer's frame.

    It asks no class, and says where the layer is active, not why the network decided. The sign of v is free: it is
    chosen so that the product with the mean activation is positive, so a rectified layer's map is nowhere negative
    unless `centered`. Where two singular values are all but equal the map is arbitrary, and a note says so. Several
    layers give one map of pixels (N, H, W), the mean of the layers' raw maps. Refused where a layer has no places.

    Source: Muhammad & Yeasin 2020, section III (the first right singular vector).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        centered: subtract the mean of each channel first (yes | no; by default False)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def excitation_backprop(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | None = None,
    contrastive: bool = True,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Excitation backprop

    The probability that the winner passes a cell, summed over channels: (N, rows, columns).

    Without contrast every map is positive and sums to 1, but for what reaches places that nothing excites. With
    contrast it is the difference of two probabilities, and sums to 0 where something speaks against the class too.
    Only positive weights and activations take part; the activations of the paper's networks are not negative, and a
    negative one (SiLU, the sum of a skip) receives nothing.

    Source: Zhang et al. 2016, equations 1 and 5, and section 3.4 (contrastive).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer at which the backward pass stops (text; by default None)
        contrastive: subtract the map of the opposite unit, whose last weights are negated (yes | no; by default True)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def excitation_backprop(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | None = None,
    contrastive: bool = True,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Excitation backprop: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer at which the backward pass stops (text; by default None)
        contrastive: subtract the map of the opposite unit, whose last weights are negated (yes | no; by default True)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def expected_gradients(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    references: Fill | PictureLike | None = None,
    samples: int = 200,
    seed: int = 0,
) -> Heatmap:
    """Expected gradients

    Mean of (pixel − reference) × gradient at a random place between them: (N, H, W), signed, in units of the score.

    References are drawn with equal chances, places uniformly on the straight way; 'noise' is another image for
    each sample. The map sums to the score less the mean score of the references (of noise: of those drawn), up to
    the error of sampling: `Meta.completeness` holds it, `Heatmap.error` the standard error of every pixel. By
    default the eight bundled photographs are the references, without the image itself if it is one of them, and
    stretched to its size where the network takes any size; they stand in poorly for what a network was trained on.

    Source: Erion et al. 2021, equation 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        references: images that the image is compared with: a named fill, or images of your own, best from the training data (by default None)
        samples: number of gradients, each on the path from a reference drawn at random (2 or more; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def expected_gradients(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    references: Fill | PictureLike | None = None,
    samples: int = 200,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Expected gradients: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        references: images that the image is compared with: a named fill, or images of your own, best from the training data (by default None)
        samples: number of gradients, each on the path from a reference drawn at random (2 or more; by default 200)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def extremal_perturbation(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    areas: Sequence[float] = (0.1,),
    steps: int = 100,
    fill: Fill | PictureLike = "blur",
    width: float = 1,
    seed: int = 0,
) -> Heatmap:
    """Extremal perturbation

    The smooth mask that keeps a share of the image and as much of the score as it can: (N, H, W), 0..1.

    Of several areas the mean of their masks: what even the smallest keeps is 1. The mask is a soft maximum of
    bumps on a lattice of parameters; they climb the score, while a growing term compares the sorted mask with
    one that keeps exactly the area. Unlike the authors, who start from the whole image and mirror it on the
    way, this starts from the window that keeps most: fewer steps then find better masks. Nothing is random
    (`seed` is for the fill `noise`). Meta's notes say what each mask keeps. The numbers have no unit and no
    sign. Refused where the score has no gradient.

    Source: Fong, Patrick & Vedaldi 2019, section 3 (started from a search for the best window).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        areas: shares of the image that a mask may keep, each from 0 to 1 (by default (0.1,))
        steps: number of optimization steps for each area; the paper takes 800 (1 to 10000; by default 100)
        fill: fill of the hidden parts: blur (as in the paper), another named one, or an image of your own (by default "blur")
        width: width of the mask's bumps, relative to the paper's 21 pixels of 224 (number; by default 1)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def extremal_perturbation(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    areas: Sequence[float] = (0.1,),
    steps: int = 100,
    fill: Fill | PictureLike = "blur",
    width: float = 1,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Extremal perturbation: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        areas: shares of the image that a mask may keep, each from 0 to 1 (by default (0.1,))
        steps: number of optimization steps for each area; the paper takes 800 (1 to 10000; by default 100)
        fill: fill of the hidden parts: blur (as in the paper), another named one, or an image of your own (by default "blur")
        width: width of the mask's bumps, relative to the paper's 21 pixels of 224 (number; by default 1)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def finer_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    strength: float = 0.6,
    classes: int = 3,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Finer-CAM

    Grad-CAM of y^c − γ · (mean y^d over similar classes d): (N, rows, columns), signed, in the layer's own frame.

    Similar are the classes whose logits are nearest to that of c in this very image; a note names them. To choose
    them yourself ask another method for a difference, such as `tiger cat - lynx`. Meta.score is the difference.
    Several layers give one map of pixels (N, H, W) as in `grad_cam`. Refused for targets that are no class, and
    where the network knows no second one.

    Source: Zhang et al. 2025, section 3 (weights from the gradient of y^c − γ y^d).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        strength: weight γ of the similar classes that are subtracted; 0 is Grad-CAM (0 to 10; by default 0.6)
        classes: number of similar classes to compare with (1 to 100; by default 3)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def finer_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    strength: float = 0.6,
    classes: int = 3,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Finer-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        strength: weight γ of the similar classes that are subtracted; 0 is Grad-CAM (0 to 10; by default 0.6)
        classes: number of similar classes to compare with (1 to 100; by default 3)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def full_grad(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    variant: Literal["shares", "paper"] = "shares",
) -> Heatmap:
    """FullGrad

    Gradient × input plus the bias of every operation × its gradient: (N, H, W).

    `shares` is signed, in units of the score, and sums to it: the share of each cell's bias is spread over the
    pixels around its place, the share of biases without a place over the whole image. Biases are those of
    convolutions, batch norms and fully connected operations, and the constant of every activation near its
    input, so that the sum is complete on any network, `Meta.completeness` being what it misses. `paper` takes
    magnitudes, scales each channel's map to 0..1 and sums: positive, without a unit.

    Source: Srinivas & Fleuret 2019, proposition 1 and equations 4 and 5.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        variant: value of a pixel: signed shares that sum to the score, or the paper's sum of rescaled magnitudes (shares | paper; by default "shares")
    """

@overload
def full_grad(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    variant: Literal["shares", "paper"] = "shares",
) -> tuple[Heatmap, ...]:
    """FullGrad: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        variant: value of a pixel: signed shares that sum to the score, or the paper's sum of rescaled magnitudes (shares | paper; by default "shares")
    """

@overload
def grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    against: bool = False,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Grad-CAM

    Σ_k α_k A^k with α_k the mean of d score / d A^k: (N, rows, columns), signed, in the layer's own frame.

    The values are raw: the paper's ReLU is a view (the positive part), and no map is rescaled. For a linear
    head after average pooling the cells sum to the score less its bias. The score should be a logit: the gradient
    of a probability vanishes where the network is sure.
    Several layers give one map of pixels (N, H, W): every map is read at the pixels by its own placement, in the
    score per pixel, and the maps are averaged without rescaling any. Refused where a layer has no places.

    Source: Selvaraju et al. 2017, equations 1 and 2, and section 3.3 (counterfactual).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        against: negate the weights, to map the evidence against the target (yes | no; by default False)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    against: bool = False,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Grad-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        against: negate the weights, to map the evidence against the target (yes | no; by default False)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def grad_cam_plus_plus(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Grad-CAM++

    Σ_k w_k A^k with w_k = Σ_ij a_ij relu(g_ij): (N, rows, columns), raw, in the layer's own frame.

    g = d score / d A^k and a_ij = 1 / (2 + (Σ A^k) g_ij), which is the paper's g² / (2 g² + (Σ A^k) g³) with g²
    divided out: so nothing underflows and no epsilon is added. The factor exp(S) of the paper, common to all
    weights, is left out. Meant for logits and for layers behind a rectifier; where Σ A^k is negative, cells at the
    pole of a_ij count as nothing. The map cannot be negative where A is not. Several layers give one map of pixels
    (N, H, W), the mean of the layers' raw maps. Refused where a layer has no places.

    Source: Chattopadhay et al. 2018, equations 7 and 19, for Y = exp(S).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def grad_cam_plus_plus(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Grad-CAM++: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def gradient(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "max",
) -> Heatmap:
    """Gradient

    How strongly the score reacts to each pixel: |d score / d pixel|, (N, H, W) in pixels of the network's input.

    The derivative is with respect to pixel values in 0..1, before normalization: units of the score per full
    range of a pixel. `max` takes the largest magnitude over colors, as in the paper; `signed` keeps the sum.

    Source: Simonyan, Vedaldi & Zisserman 2013, section 3.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "max")
    """

@overload
def gradient(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "max",
) -> tuple[Heatmap, ...]:
    """Gradient: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "max")
    """

@overload
def gradient_times_input(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    reference: Literal["normalized", "black"] = "normalized",
) -> Heatmap:
    """Gradient × input

    d score / d input × input, summed over colors: (N, H, W), signed, in units of the score.

    With `normalized` the input is what the first layer receives, so that for a ReLU network without biases the
    map sums to the score exactly (positive homogeneity). With `black` the input is the pixel itself.

    Source: Shrikumar et al. 2016, section 2; Ancona et al. 2018, table 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reference: value that counts as no input: zero after normalization, or a black pixel (normalized | black; by default "normalized")
    """

@overload
def gradient_times_input(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    reference: Literal["normalized", "black"] = "normalized",
) -> tuple[Heatmap, ...]:
    """Gradient × input: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reference: value that counts as no input: zero after normalization, or a black pixel (normalized | black; by default "normalized")
    """

@overload
def guided_backprop(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
    smooth: Literal["positive_product", "gate", "plain"] = "positive_product",
) -> Heatmap:
    """Guided backpropagation

    The gradient with R · [R > 0] · [x > 0] at every ReLU: (N, H, W) in pixels of the network's input.

    ReLU6 and hardtanh pass where their slope is 1 and R > 0; leaky and exponential units keep their slope and
    pass R > 0. Smooth units have no published rule: `smooth` chooses one, and Meta.coverage says what each
    operation did. Acts on functions, so functional, in-place and shared activations are all covered.
    The map hardly depends on the class, and its signs say nothing on the score (a note says so).
    Raises Refused where the network has no activation that the rule knows.

    Source: Springenberg et al. 2015, section 3.4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
        smooth: backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or the plain gradient (positive_product | gate | plain; by default "positive_product")
    """

@overload
def guided_backprop(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
    smooth: Literal["positive_product", "gate", "plain"] = "positive_product",
) -> tuple[Heatmap, ...]:
    """Guided backpropagation: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
        smooth: backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or the plain gradient (positive_product | gate | plain; by default "positive_product")
    """

@overload
def guided_grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
    smooth: Literal["positive_product", "gate", "plain"] = "positive_product",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Guided Grad-CAM

    Guided backpropagation × the positive part of Grad-CAM: (N, H, W) in pixels of the network's input.

    Grad-CAM is read at the pixels by where its cells see them, after its ReLU: the product is zero where nothing
    speaks for the target. `reduce` and `smooth` are those of `guided_backprop`, `layer` and `placement` those of
    `grad_cam`. Raises Refused where a layer has no places, or no activation has a guided rule.

    Source: Selvaraju et al. 2017, section 3.4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
        smooth: backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or the plain gradient (positive_product | gate | plain; by default "positive_product")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def guided_grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    reduce: Literal["max", "l2", "l1", "signed"] = "signed",
    smooth: Literal["positive_product", "gate", "plain"] = "positive_product",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Guided Grad-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        reduce: way to combine the color channels into one value: maximum of magnitudes, l2 norm, l1 norm, or signed sum (max | l2 | l1 | signed; by default "signed")
        smooth: backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or the plain gradient (positive_product | gate | plain; by default "positive_product")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def guided_integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    steps: int = 200,
    fraction: float = 0.25,
    distance: float = 0.02,
    baseline: Fill | PictureLike = "black",
    quadrature: Literal["trapezoid", "left"] = "trapezoid",
    seed: int = 0,
) -> Heatmap:
    """Guided integrated gradients

    Σ over steps of the pixels' moves × gradient, on a way that avoids high gradients: (N, H, W), signed.

    Every step brings the image nearer to the image by the same sum of |moves|. Those values of pixels move first
    whose gradient is smallest in magnitude, none of them further than `distance` from its place on the straight
    way. In units of the score; the map sums to the score less the baseline's, up to the error of the steps, which
    `Meta.completeness` holds; it falls slowly, as the same gradients choose the way and are summed on it. `seed` is
    that of a baseline of noise.

    Source: Kapishnikov et al. 2021, section 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: number of steps of equal length, each with one gradient (1 to 4096; by default 200)
        fraction: share of the values, those of the smallest gradients, that move together (number; by default 0.25)
        distance: maximum distance from the straight path, as a share of its length; 0 is the straight path (0 to 1; by default 0.02)
        baseline: image at which the path begins: a named fill, or images of your own, over which the maps are averaged (by default "black")
        quadrature: gradient of a step: mean of its two ends, or, as in the authors' code, that of its start (trapezoid | left; by default "trapezoid")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def guided_integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    steps: int = 200,
    fraction: float = 0.25,
    distance: float = 0.02,
    baseline: Fill | PictureLike = "black",
    quadrature: Literal["trapezoid", "left"] = "trapezoid",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Guided integrated gradients: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: number of steps of equal length, each with one gradient (1 to 4096; by default 200)
        fraction: share of the values, those of the smallest gradients, that move together (number; by default 0.25)
        distance: maximum distance from the straight path, as a share of its length; 0 is the straight path (0 to 1; by default 0.02)
        baseline: image at which the path begins: a named fill, or images of your own, over which the maps are averaged (by default "black")
        quadrature: gradient of a step: mean of its two ends, or, as in the authors' code, that of its start (trapezoid | left; by default "trapezoid")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def hires_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """HiResCAM

    Σ_k g^k ⊙ A^k with g = d score / d A: (N, rows, columns), signed, in units of the score, in the layer's frame.

    No gradient is averaged over places, so every cell tells its own share: with one linear layer behind, the cells
    sum to the score less its bias; with a piecewise linear network without biases behind, to the score. Several
    layers give one map of pixels (N, H, W) as in `grad_cam`. Refused where a layer has no places.

    Source: Draelos & Carin 2020, section 3 (gradient and activation multiplied before the sum).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def hires_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """HiResCAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    steps: int = 512,
    tolerance: float = 0.01,
    baseline: Fill | PictureLike = "black",
    quadrature: Literal["adaptive", "gauss_legendre", "midpoint", "trapezoid"] = "adaptive",
    seed: int = 0,
) -> Heatmap:
    """Integrated gradients

    (pixel − baseline) × mean gradient on the straight way between them: (N, H, W), signed, in units of the score.

    Summed over all pixels the map is the score minus the baseline's score (of several baselines their mean score),
    up to the quadrature's error: `Meta.completeness` holds it for every image, relative to that difference. A right
    sum does not prove that every pixel is right: of adaptive maps the notes say so where the last round of
    gradients, twice as many, still moved the map by more than a tenth. `seed` is that of a baseline of noise.

    Source: Sundararajan, Taly & Yan 2017, equation 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: number of gradients for each baseline; the maximum with adaptive quadrature, else the exact number (1 to 4096; by default 512)
        tolerance: largest error of the sum, as a share of the change of the score, at which adaptive steps stop (0 to 1; by default 0.01)
        baseline: baseline image: a named fill, or images of your own, over which the maps are averaged (by default "black")
        quadrature: placing of the steps: adaptive refines where the sum is wrong, the others take a fixed number (adaptive | gauss_legendre | midpoint | trapezoid; by default "adaptive")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def integrated_gradients(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    steps: int = 512,
    tolerance: float = 0.01,
    baseline: Fill | PictureLike = "black",
    quadrature: Literal["adaptive", "gauss_legendre", "midpoint", "trapezoid"] = "adaptive",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Integrated gradients: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: number of gradients for each baseline; the maximum with adaptive quadrature, else the exact number (1 to 4096; by default 512)
        tolerance: largest error of the sum, as a share of the change of the score, at which adaptive steps stop (0 to 1; by default 0.01)
        baseline: baseline image: a named fill, or images of your own, over which the maps are averaged (by default "black")
        quadrature: placing of the steps: adaptive refines where the sum is wrong, the others take a fixed number (adaptive | gauss_legendre | midpoint | trapezoid; by default "adaptive")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def kernel_shap(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    samples: int = 1000,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "gray",
    seed: int = 0,
) -> Heatmap:
    """KernelSHAP

    Each superpixel's fair share of the score, by KernelSHAP: (N, H, W), signed, in units of the score.

    Every pixel holds the Shapley value of its superpixel, not divided by the superpixel's area. Over the
    superpixels they sum to the score less that of the image with all of them hidden; the sum is a constraint of the
    regression, `Meta.completeness` its rounding. Where there are no more than `samples` coalitions all are asked
    and the values are exact; otherwise coalitions are drawn by the Shapley kernel, each with its complement, and
    `Heatmap.error` holds standard errors over that draw. Raises PellucidError where the samples are too few to tell
    the superpixels apart.

    Source: Lundberg & Lee 2017, theorem 2 (section 4.1); paired sampling: Covert & Lee 2021, section 3.3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: maximum number of coalitions of superpixels; fewer where there are no more (2 to 1000000; by default 1000)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "gray")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def kernel_shap(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    samples: int = 1000,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "gray",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """KernelSHAP: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: maximum number of coalitions of superpixels; fewer where there are no more (2 to 1000000; by default 1000)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "gray")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def layer_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    fusion: Literal["mean", "paper"] = "mean",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Layer-CAM

    Σ_k relu(g^k) ⊙ A^k with g = d score / d A: (N, rows, columns), in units of the score, in the layer's frame.

    The ReLU on the gradient is the formula's own; the paper's second one, on the map, is a view. Several layers
    give one map of pixels (N, H, W): the mean as in `grad_cam`, or the paper's fusion, in which every layer counts
    the same however little it says. Refused where a layer has no places.

    Source: Jiang et al. 2021, section III, equations 5 to 7 and 9.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        fusion: way to combine several layers: mean of the raw maps, or maximum of tanh(2 · map / its maximum), as in the paper (mean | paper; by default "mean")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def layer_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    fusion: Literal["mean", "paper"] = "mean",
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Layer-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        fusion: way to combine several layers: mean of the raw maps, or maximum of tanh(2 · map / its maximum), as in the paper (mean | paper; by default "mean")
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def lime(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    samples: int = 1000,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "superpixel",
    kernel_width: float = 0.25,
    seed: int = 0,
) -> Heatmap:
    """LIME

    How much showing a superpixel adds to the score, by a linear model near the image: (N, H, W), signed.

    Every pixel holds the coefficient of its superpixel, not divided by the superpixel's area. The model is a ridge
    regression (penalty 1 on the coefficients) on images in which each superpixel is shown with probability ½,
    weighted by √exp(−d² / width²), d the cosine distance to the image. The authors ask for `p(class)`, whose
    coefficients lie in 0..1.
    `Heatmap.error` holds standard errors over the draw of the images, `Meta.notes` the surrogate's R²: how much
    of the weighted variance of the score it explains. A low R² means that the map is not the network's answer.
    Raises PellucidError where there are no more samples than superpixels.

    Source: Ribeiro, Singh & Guestrin 2016, equation 1 and algorithm 1; settings of the authors' code.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: number of images with superpixels hidden at random (2 to 1000000; by default 1000)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "superpixel")
        kernel_width: width of the kernel that weights images by their cosine distance (number; by default 0.25)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def lime(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    samples: int = 1000,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "superpixel",
    kernel_width: float = 0.25,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """LIME: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: number of images with superpixels hidden at random (2 to 1000000; by default 1000)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "superpixel")
        kernel_width: width of the kernel that weights images by their cosine distance (number; by default 0.25)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def lrp(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    composite: Literal["epsilon", "epsilon_plus", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_alpha2_beta1_flat", "epsilon_gamma_box"] = "epsilon_plus_flat",
    first: str | None = None,
    features: str | None = None,
    classifier: str | None = None,
) -> Heatmap:
    """Layer-wise relevance propagation

    Each pixel's relevance, summed over colors: (N, H, W), signed, in units of the score.

    Relevance is conserved from the score to the pixels but for what biases absorb: `Meta.completeness` is that
    part, and in deep networks with batch norms nearly all: read the map for its proportions. Works on calls of
    functions: batch norms are merged into the convolution before them, skips, branches, shared and in-place
    operations need no preparation of the network; `Meta.coverage` says which rule each operation had, and which
    had none. Zero is the network's own, after normalization. The target should be a logit.

    Source: Bach et al. 2015, equations 56 to 60; Montavon et al. 2019, section 10.3; Kohlbrenner et al. 2020.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        composite: set of rules for the first operation, for convolutions, and for fully connected layers (epsilon | epsilon_plus | epsilon_plus_flat | epsilon_alpha2_beta1 | epsilon_alpha2_beta1_flat | epsilon_gamma_box; by default "epsilon_plus_flat")
        first: rule for the first operation: epsilon, epsilon:1e-6, gamma:0.25, alpha_beta:2,1, z_plus, z_box, w_square, flat (text; by default None)
        features: rule for convolutions, of the same ones (text; by default None)
        classifier: rule for fully connected layers, of the same ones (text; by default None)
    """

@overload
def lrp(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    composite: Literal["epsilon", "epsilon_plus", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_alpha2_beta1_flat", "epsilon_gamma_box"] = "epsilon_plus_flat",
    first: str | None = None,
    features: str | None = None,
    classifier: str | None = None,
) -> tuple[Heatmap, ...]:
    """Layer-wise relevance propagation: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        composite: set of rules for the first operation, for convolutions, and for fully connected layers (epsilon | epsilon_plus | epsilon_plus_flat | epsilon_alpha2_beta1 | epsilon_alpha2_beta1_flat | epsilon_gamma_box; by default "epsilon_plus_flat")
        first: rule for the first operation: epsilon, epsilon:1e-6, gamma:0.25, alpha_beta:2,1, z_plus, z_box, w_square, flat (text; by default None)
        features: rule for convolutions, of the same ones (text; by default None)
        classifier: rule for fully connected layers, of the same ones (text; by default None)
    """

@overload
def occlusion(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    per_pixel: bool = False,
    seed: int = 0,
) -> Heatmap:
    """Occlusion

    How far the score falls when a place is covered: (N, rows, columns) at the covers' centers, signed.

    Positive where the image needs the place, negative where covering it helps, in units of the score. Ask
    for `p(class)` to get the paper's map of probabilities, for `layer:unit` to get that of a unit's response.
    With `per_pixel` (N, height, width). `border` says what happens at the edges: by default the last cover of
    a row is moved inside, so that the border is treated like the rest. Raises PellucidError for `per_pixel`
    where covers leave pixels out.

    Source: Zeiler & Fergus 2013, section 4.2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        per_pixel: give every pixel the mean over all covers that lie on it (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    per_pixel: bool = False,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Occlusion: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        per_pixel: give every pixel the mean over all covers that lie on it (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def occlusion_labels(
    net: NetLike,
    images: ImagesLike,
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    seed: int = 0,
) -> LabelMap:
    """Occlusion, label map

    The best guess when each place is covered: (N, rows, columns) class numbers at the covers' centers.

    Source: Zeiler & Fergus 2013, section 4.2, figure 7 (e).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_products(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    unit: str | None = None,
    seed: int = 0,
) -> Panel:
    """Occlusion, all products

    What covering a place does to the class, to one feature map, to the answer: four maps (N, rows, columns).

    `probability` is how far the probability of the class falls; `response` how far the total activation of one
    feature map falls, by default the map that responds most to the whole image in the last layer with places.
    Both are signed, and `Meta.score` of each part holds the whole image's number: score − fall is what the
    paper draws. `label` is the best guess, `rank` how many classes are ahead of it.
    The target is a class: Refused for others.

    Source: Zeiler & Fergus 2013, section 4.2, figure 7 (b), (d) and (e).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        unit: unit whose response is mapped, as LAYER:UNIT, or LAYER for its strongest one (text; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_products(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    unit: str | None = None,
    seed: int = 0,
) -> tuple[Panel, ...]:
    """Occlusion, all products: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        unit: unit whose response is mapped, as LAYER:UNIT, or LAYER for its strongest one (text; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_rank(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    seed: int = 0,
) -> Heatmap:
    """Occlusion, rank of the class

    How many classes are ahead of this one when each place is covered, 0 where it is first: (N, rows, columns).

    Whole numbers at the covers' centers, the rank less 1, so that a place which changes nothing is zero; classes
    of equal score are not ahead of one another. `Meta.score` is that of the whole image. Refused for targets
    that are no class.

    Source: Zeiler & Fergus 2013, section 4.2 (after figure 7).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_rank(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    size: float | tuple[int, int] | None = None,
    stride: float | None = None,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Occlusion, rank of the class: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        size: side of the cover, or HEIGHT,WIDTH, in pixels of the network's input; below 1: share of its side (number; by default None)
        stride: step between covers, in pixels of the network's input; below 1: share of its side (number; by default None)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_sizes(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    sizes: Sequence[int] = (24, 48, 96),
    relative_stride: float = 0.5,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    seed: int = 0,
) -> Panel:
    """Occlusion, several sizes

    How far the score falls under covers of each size: one map (N, rows, columns) each, and their mean (N, H, W).

    Small covers find details that nothing replaces, large ones whole objects that small covers leave
    recognizable. The parts are named `24 px`, `48 px` …, at the covers' centers; `mean` is the average over the
    sizes of what covers on a pixel cost. All are signed and in units of the score. Equal sizes count once.

    Source: Zeiler & Fergus 2013, section 4.2, for a series of cover sizes.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        sizes: sides of the covers, in pixels of the network's input (whole number; by default (24, 48, 96))
        relative_stride: step between covers, as a share of their side (number; by default 0.5)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def occlusion_sizes(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    sizes: Sequence[int] = (24, 48, 96),
    relative_stride: float = 0.5,
    fill: Fill | PictureLike = "gray",
    border: Literal["inside", "clip", "pad"] = "inside",
    seed: int = 0,
) -> tuple[Panel, ...]:
    """Occlusion, several sizes: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        sizes: sides of the covers, in pixels of the network's input (whole number; by default (24, 48, 96))
        relative_stride: step between covers, as a share of their side (number; by default 0.5)
        fill: fill of the covered part: a named one, or an image of your own (by default "gray")
        border: placing of covers at the edge: moved inside, clipped, or hanging over all edges (pad) (inside | clip | pad; by default "inside")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def rise(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    samples: int = 1000,
    masks: tuple[int, float] = (7, 0.5),
    fill: Fill | PictureLike = "gray",
    variant: Literal["gain", "paper", "pixel"] = "gain",
    tolerance: float = 0,
    seed: int = 0,
) -> Heatmap:
    """RISE

    How far the score lies above its mean where random masks show a place: (N, H, W), signed, with its error.

    A mask is a coarse grid of cells, each shown with probability p, enlarged linearly and shifted at random.
    `pixel` is ΣMf / ΣM, the mean score f of the masks that show a pixel; `gain`, the default, is that less the
    mean score of all masks, so that zero says nothing; `paper` is ΣMf / (N p), which has the same expectation
    as `pixel` and more noise. All are in units of the score; the paper asks for `p(class)` and 4000 masks or
    more, 1000 give the same places at four times the speed. `Heatmap.error` is the standard error.

    Source: Petsiuk, Das & Saenko 2018, section 3, equation 6.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: number of masks; the paper takes 4000 to 8000 (2 or more; by default 1000)
        masks: number of cells along a side of a mask, and the share of them that is visible (whole number; by default (7, 0.5))
        fill: fill of the hidden parts: a named one, or an image of your own (by default "gray")
        variant: value of a pixel: gain over the mean score, ΣMf / (N p) as in the paper, or ΣMf / ΣM (gain | paper | pixel; by default "gain")
        tolerance: mean error at which to stop early, as a share of the map's spread; 0 never stops early (0 or more; by default 0)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def rise(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    samples: int = 1000,
    masks: tuple[int, float] = (7, 0.5),
    fill: Fill | PictureLike = "gray",
    variant: Literal["gain", "paper", "pixel"] = "gain",
    tolerance: float = 0,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """RISE: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        samples: number of masks; the paper takes 4000 to 8000 (2 or more; by default 1000)
        masks: number of cells along a side of a mask, and the share of them that is visible (whole number; by default (7, 0.5))
        fill: fill of the hidden parts: a named one, or an image of your own (by default "gray")
        variant: value of a pixel: gain over the mean score, ΣMf / (N p) as in the paper, or ΣMf / ΣM (gain | paper | pixel; by default "gain")
        tolerance: mean error at which to stop early, as a share of the map's spread; 0 never stops early (0 or more; by default 0)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def score_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    variant: Literal["paper", "authors"] = "paper",
    tried: int | None = None,
    fill: Fill | PictureLike | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """Score-CAM

    Σ_k w_k A^k with w_k from the score of the image seen through A^k: (N, rows, columns), raw.

    Every map is read at the pixels, stretched to 0..1 and multiplied with the image. `paper`: w is the softmax
    over all channels of these scores; the paper's baseline drops out of it, and where scores spread widely
    one channel takes all. `authors`: w_k is the class's probability itself (the score, for targets other than a
    class), as in the authors' code, which multiplies the normalized image. Constant maps hide nothing and weigh
    nothing. One pass for each channel that is tried. Several layers give one map of pixels (N, H, W), the mean of the
    layers' raw maps. Refused where a layer has no places.

    Source: Wang et al. 2020, section 3 and algorithm 1, and the authors' code.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        variant: weight of a channel: softmax of the scores over channels (paper), or the probability of the class (authors' code) (paper | authors; by default "paper")
        tried: number of channels that are tried, those whose maps vary most; the others weigh nothing (1 or more; by default None)
        fill: fill where the mask is zero: a named one, or an image of your own (by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def score_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    variant: Literal["paper", "authors"] = "paper",
    tried: int | None = None,
    fill: Fill | PictureLike | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """Score-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        variant: weight of a channel: softmax of the scores over channels (paper), or the probability of the class (authors' code) (paper | authors; by default "paper")
        tried: number of channels that are tried, those whose maps vary most; the others weigh nothing (1 or more; by default None)
        fill: fill where the mask is zero: a named one, or an image of your own (by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def shapley_sampling(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    permutations: int = 20,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "gray",
    antithetic: bool = False,
    seed: int = 0,
) -> Heatmap:
    """Shapley sampling

    Each superpixel's fair share of the score, by what it adds in random orders: (N, H, W), signed.

    In units of the score. Every pixel holds the estimated Shapley value of its superpixel, not divided by the
    superpixel's area. Over the superpixels they sum to the score less that of the image with all of them
    hidden, whatever the orders: `Meta.completeness` is the rounding. `Heatmap.error` holds standard errors.
    Costs orders × (superpixels − 1) forward passes.

    Source: Castro, Gómez & Tejada 2009, section 3; Štrumbelj & Kononenko 2014, algorithm 1; backwards: Mitchell et al. 2022, section 4.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        permutations: number of random orders in which superpixels appear (2 to 1000000; by default 20)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "gray")
        antithetic: use each order backward too, which doubles the work and often reduces the error (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def shapley_sampling(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    permutations: int = 20,
    segmentation: Literal["quickshift", "slic", "grid"] = "quickshift",
    n_segments: int = 50,
    fill: Own | PictureLike = "gray",
    antithetic: bool = False,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Shapley sampling: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        permutations: number of random orders in which superpixels appear (2 to 1000000; by default 20)
        segmentation: way to cut the image into superpixels (quickshift | slic | grid; by default "quickshift")
        n_segments: approximate number of superpixels, for slic and grid (1 to 4096; by default 50)
        fill: fill of a hidden superpixel: its own mean color, a named fill, or an image of your own (by default "gray")
        antithetic: use each order backward too, which doubles the work and often reduces the error (yes | no; by default False)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def smooth_grad(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    of: Ask | str | Parts = ...,
    statistic: Literal["mean", "square", "variance"] = "mean",
    samples: int = 50,
    sigma: float = 0.15,
    reduce: Literal["max", "l2", "l1", "signed"] | None = None,
    seed: int = 0,
) -> Heatmap:
    """SmoothGrad

    What remains of a map when the image is a little noisy: the mean over noisy copies, with its standard error.

    Of `gradient` the signed gradients of every channel are averaged (or squared, or their variance is taken),
    and only then the channels made one number, by `reduce`: (N, H, W) in units of the score per pixel range.
    Of every other method its maps are, with its own options or those of `Ask("lrp", composite="epsilon_plus")`, as
    text `lrp:composite=epsilon_plus`: (N, rows, columns) in its own unit and frame. Noise is Gaussian and added to
    pixel values, before normalization; its width is `sigma` times the largest less the smallest value of the image.
    The best guess stays that of the image without noise. The variance is unbiased and has no error map. Raises
    PellucidError for methods that give no map.

    Source: Smilkov et al. 2017, section 3; Hooker et al. 2019 (squares) and Adebayo et al. 2018 (variance).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        of: attribution method to average, with its options: lrp:composite=epsilon (METHOD:OPTION=VALUE,…; by default "gradient")
        statistic: statistic over the noisy copies; square is SmoothGrad-Squared, variance VarGrad (mean | square | variance; by default "mean")
        samples: number of noisy copies of each image (2 or more; by default 50)
        sigma: standard deviation of the noise, as a share of the image's range of pixel values (0 or more; by default 0.15)
        reduce: way to combine the color channels of gradients (by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def smooth_grad(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    of: Ask | str | Parts = ...,
    statistic: Literal["mean", "square", "variance"] = "mean",
    samples: int = 50,
    sigma: float = 0.15,
    reduce: Literal["max", "l2", "l1", "signed"] | None = None,
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """SmoothGrad: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        of: attribution method to average, with its options: lrp:composite=epsilon (METHOD:OPTION=VALUE,…; by default "gradient")
        statistic: statistic over the noisy copies; square is SmoothGrad-Squared, variance VarGrad (mean | square | variance; by default "mean")
        samples: number of noisy copies of each image (2 or more; by default 50)
        sigma: standard deviation of the noise, as a share of the image's range of pixel values (0 or more; by default 0.15)
        reduce: way to combine the color channels of gradients (by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def sobol(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    grid: int = 8,
    samples: int = 16,
    fill: Fill | PictureLike = "gray",
    order: Literal["total", "first"] = "total",
    points: Literal["quasi", "random"] = "quasi",
    seed: int = 0,
) -> Heatmap:
    """Sobol indices

    The share of the score's variance that each cell of the image has a part in: (N, grid, grid), with error.

    Every cell is mixed with the fill by a share of its own, uniform in 0..1. `total` counts a cell's variance
    alone and together with others (so that all cells may sum to more than 1), `first` alone. The numbers have
    no sign and no unit; estimates of cells without influence may be slightly below zero for `first`.
    `Heatmap.error` is the jackknife's standard error, cautious for `quasi`. The paper takes 32 samples.

    Source: Fel et al. 2021, section 3 (the estimators of Jansen 1999).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        grid: number of cells along a side (1 to 64; by default 8)
        samples: number of pairs of masks; the network runs samples × (cells + 2) times (2 to 1048576; by default 16)
        fill: fill of the hidden parts: a named one, or an image of your own (by default "gray")
        order: kind of index: total counts all variance that a cell has a part in, first only what it explains alone (total | first; by default "total")
        points: source of the masks: a scrambled Sobol sequence, or independent random numbers (quasi | random; by default "quasi")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def sobol(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    grid: int = 8,
    samples: int = 16,
    fill: Fill | PictureLike = "gray",
    order: Literal["total", "first"] = "total",
    points: Literal["quasi", "random"] = "quasi",
    seed: int = 0,
) -> tuple[Heatmap, ...]:
    """Sobol indices: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        grid: number of cells along a side (1 to 64; by default 8)
        samples: number of pairs of masks; the network runs samples × (cells + 2) times (2 to 1048576; by default 16)
        fill: fill of the hidden parts: a named one, or an image of your own (by default "gray")
        order: kind of index: total counts all variance that a cell has a part in, first only what it explains alone (total | first; by default "total")
        points: source of the masks: a scrambled Sobol sequence, or independent random numbers (quasi | random; by default "quasi")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def x_grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> Heatmap:
    """XGrad-CAM

    Σ_k w_k A^k with w_k = Σ_ij g_ij A^k_ij / Σ_ij A^k_ij: (N, rows, columns), signed, in the layer's own frame.

    g = d score / d A^k. The cells sum to Σ g A, which is the score for a piecewise linear network without biases
    behind the layer. Equal to Grad-CAM where the gradient is the same in all cells of a map. A map whose positive
    and negative cells cancel out has no mean place: the sum it is divided by keeps its sign and at least a
    millionth of Σ |A|. Several layers give one map of pixels (N, H, W) as in `grad_cam`. Refused where a layer
    has no places.

    Source: Fu et al. 2020, section 3 (the weights that satisfy sensitivity and conservation).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def x_grad_cam(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    layer: str | Module | Sequence[str | Module] | None = None,
    placement: Literal["auto", "field", "effective", "stretch"] = "auto",
) -> tuple[Heatmap, ...]:
    """XGrad-CAM: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        layer: layer of the maps; several layers, as a,b, give one map (text; by default None)
        placement: position of a layer's cells in the image: at the centers of their receptive fields (field), at the measured centers of their effective fields (effective, 16 to 64 backward passes once for each layer), stretched over the image as most tools do (stretch); auto is effective for the bundled network, else field (auto | field | effective | stretch; by default "auto")
    """

@overload
def xrai(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    steps: int = 128,
    tolerance: float = 0.01,
    scales: Sequence[float] = (50, 100, 150, 250, 500, 1200),
    min_area: int = 150,
    dilation: int = 5,
    region_value: Literal["attribution", "rank"] = "attribution",
) -> Heatmap:
    """XRAI

    What each region of the image adds to the score, per pixel: (N, H, W), signed, in units of the score.

    Integrated gradients from black and from white are averaged; the image is cut by Felzenszwalb's method at six
    scales; then regions are added one after the other, always the one whose new pixels have the highest mean, and
    those pixels get that mean. The map sums to what integrated gradients sum to: the score less the mean score of
    black and white, up to `Meta.completeness`. Colors are summed, where the authors' code takes their maximum.

    Source: Kapishnikov et al. 2019, section 3 and algorithm 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: maximum number of gradients for each baseline (1 to 4096; by default 128)
        tolerance: largest error of a baseline's sum, as a share of the change of the score (0 to 1; by default 0.01)
        scales: scales of the segmentation, for a 224 × 224 image; larger ones give larger regions (by default (50, 100, 150, 250, 500, 1200))
        min_area: smallest area of a region, in pixels of a 224 × 224 image (1 or more; by default 150)
        dilation: width by which regions are dilated, in pixels of a 224 × 224 image (0 or more; by default 5)
        region_value: value of a region: mean attribution of its pixels, or its rank: the share of the image that it exceeds, itself included (attribution | rank; by default "attribution")
    """

@overload
def xrai(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    steps: int = 128,
    tolerance: float = 0.01,
    scales: Sequence[float] = (50, 100, 150, 250, 500, 1200),
    min_area: int = 150,
    dilation: int = 5,
    region_value: Literal["attribution", "rank"] = "attribution",
) -> tuple[Heatmap, ...]:
    """XRAI: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        steps: maximum number of gradients for each baseline (1 to 4096; by default 128)
        tolerance: largest error of a baseline's sum, as a share of the change of the score (0 to 1; by default 0.01)
        scales: scales of the segmentation, for a 224 × 224 image; larger ones give larger regions (by default (50, 100, 150, 250, 500, 1200))
        min_area: smallest area of a region, in pixels of a 224 × 224 image (1 or more; by default 150)
        dilation: width by which regions are dilated, in pixels of a 224 × 224 image (0 or more; by default 5)
        region_value: value of a region: mean attribution of its pixels, or its rank: the share of the image that it exceeds, itself included (attribution | rank; by default "attribution")
    """
