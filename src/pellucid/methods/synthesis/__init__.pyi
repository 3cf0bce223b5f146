"""Synthesis: images made to excite, invert, fool or imitate."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.images import ImagesLike
from pellucid.images.perturb import PictureLike
from pellucid.net import NetLike
from pellucid.render.photos import Photos
from pellucid.result.pictures import Pictures
from pellucid.target.base import Target, TargetLike, TargetsLike
from torch.nn.modules.module import Module
from typing import Literal, TypeVar, overload
from pellucid.render.parts import PARTS as PARTS
from pellucid.render.recipes import PRESETS as PRESETS
from pellucid.render.recipes import Recipe as Recipe

def activation_maximization(
    net: NetLike,
    target: TargetsLike,
    *,
    recipe: Recipe | str = ...,
    steps: int | None = None,
    size: int | None = None,
    count: int = 1,
    seed: int = 0,
    real: Photos | ImagesLike | None = None,
) -> Pictures:
    """Activation maximization

    The picture that excites each target most: (N, H, W, C) in 8 bits, `count` of them for each of the targets.

    Each carries its trust, measured on its 8 bits through the network's own preprocessing: how its activation
    compares with that of the best of the `real` photos, whether it survives small touches, the unit's rank among
    its layer's channels, and, with a `count` of several, how alike they are to the network. Without `real` what
    needs real photos is unknown, and said to be.

    Source: Erhan et al. 2009, section 3; Olah, Mordvintsev & Schubert 2017.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: Several targets, or one: each as `Target.of` reads it.
        recipe: published recipe, or one with parts of your own: lucid + tv(0.01) (RECIPE; by default "pellucid")
        steps: number of optimization steps (1 or more; by default None)
        size: side of the images, in pixels (8 or more; by default None)
        count: number of images for each target, each from a random start of its own (1 or more; by default 1)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
        real: real photos that the images are compared with: a folder, or one image (PHOTOS; by default None)
    """

def caricature(
    net: NetLike,
    images: ImagesLike,
    *,
    layers: str | Module | Sequence[str | Module] | None = None,
    power: float = 0,
    steps: int = 128,
    size: int | None = None,
    seed: int = 0,
) -> Pictures:
    """Caricature

    What a layer makes of each photo, overdrawn: (N, H, W, C) of the photo's proportions, one for each layer named.

    From noise, the picture climbs the mean over the layer's places of ⟨a, a₀⟩ · max(0.1, cos(a, a₀))^power: a is its
    activation and a₀ the photo's, both seen through the same small shifts, turns and zooms. The product has no
    bound, so what the layer sees grows beyond what is in the photo; what it does not see is drawn anyhow.

    Facts, of the saved 8 bits through the network's own preprocessing: the mean cosine between picture and photo
    over the layer's places, and how many times as strong the picture excites the layer.

    Source: Carter et al. 2019, Activation atlas, section Looking at a single image; lucid 2018, recipe caricature.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layers: layers whose features are exaggerated, each in a picture of its own (text; by default None)
        power: exponent of the cosine; 0 exaggerates most, larger values stay nearer to the photo (0 or more; by default 0)
        steps: number of optimization steps (1 or more; by default 128)
        size: shorter side of the images, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

_TargetLike = TypeVar("_TargetLike", bound=TargetLike)

@overload
def deepdream(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike = ...,
    *,
    octaves: int = 4,
    steps: int = 20,
    rate: float = 1.5,
    bands: int = 5,
    guide: PictureLike | None = None,
    seed: int = 0,
) -> Pictures:
    """DeepDream

    What the network sees in each photo, until everyone sees it: (N, H, W, C), each as large as its photo.

    From the smallest octave to the photo's own size, x += rate · g / mean |g| raises the target (by default the mean
    square of a layer half-way up), and what shrinking had lost of the photo is put back each time. The photo is
    rolled by up to 32 pixels at each step. `bands` gives coarse and fine structure the same say, as the authors'
    later version does; 1 is the formula of the first. Large photos, and all photos where a network takes one size
    alone, are seen part by part.

    With a guide, each place of the layer is drawn to the guide's feature with which its product is largest; the
    target must then be the energy of a layer. Facts: the target on the photo and on the picture as its file holds
    it, both through the network's own preprocessing.

    Source: Mordvintsev, Olah & Tyka 2015, notebook, sections on octaves and Controlling dreams.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        octaves: number of sizes of the photo, each 1.4 times the last (1 or more; by default 4)
        steps: number of steps at each size; the original took 10 (1 or more; by default 20)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 1.5)
        bands: number of bands of spatial frequency that are amplified equally; 1 uses the gradient as it is (1 to 8; by default 5)
        guide: second image, whose features the layer is drawn to (IMAGE; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def deepdream(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    octaves: int = 4,
    steps: int = 20,
    rate: float = 1.5,
    bands: int = 5,
    guide: PictureLike | None = None,
    seed: int = 0,
) -> tuple[Pictures, ...]:
    """DeepDream: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        octaves: number of sizes of the photo, each 1.4 times the last (1 or more; by default 4)
        steps: number of steps at each size; the original took 10 (1 or more; by default 20)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 1.5)
        bands: number of bands of spatial frequency that are amplified equally; 1 uses the gradient as it is (1 to 8; by default 5)
        guide: second image, whose features the layer is drawn to (IMAGE; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def diversity(
    net: NetLike,
    target: TargetsLike,
    *,
    count: int = 4,
    strength: float = 1.0,
    recipe: Recipe | str = ...,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Pictures:
    """Diversity

    Pictures of one target that excite it in different ways: (N, H, W, C) in 8 bits, `count` for each target.

    A unit often answers more than one thing, and activation maximization finds the easiest. Here the pictures of a
    target push one another away: each gives up strength · |activation| · Σ ⟨G, G′⟩ / pictures over the others, where
    G are the Gram matrices of the target's layer, of length 1 (for a class, the last layer with places). What they
    still share is what the unit insists on. The fact `alike` is the mean ⟨G, G′⟩ of a finished picture to the others
    of its target: 1 is the same texture.

    Source: Olah, Mordvintsev & Schubert 2017, section Diversity; Wei et al. 2015, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: Several targets, or one: each as `Target.of` reads it.
        count: number of images of each target (2 or more; by default 4)
        strength: weight of the difference between the images; at 1 an image like all others loses its activation (0 or more; by default 1.0)
        recipe: published recipe, or one with parts of your own: lucid + tv(0.01) (RECIPE; by default "pellucid")
        steps: number of optimization steps (1 or more; by default None)
        size: side of the images, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def fooling(
    net: NetLike,
    images: ImagesLike,
    target: TargetLike,
    *,
    epsilon: int = 8,
    probability: float = 0.9,
    steps: int = 120,
    rate: float = 0.25,
) -> Pictures:
    """Fooling

    The least change that makes the network see the target class in each photo: (N, H, W, C), as large as its photo.

    Projected gradient ascent on the log odds of the class, with momentum ½, on the photo's own pixels and through
    the network's own resizing and cropping. The bound on the change begins at 1 of 255 and rises to `epsilon`; the
    network is shown whole levels of 255 at every step, so that what is reported is true of the saved 8-bit file.

    Facts of each picture: the probability of the class and that of the photo's first guess, before and after; the
    largest change and the root mean square of all, of 255; the steps taken; and how many times the change shown
    beside it is magnified around gray. A class that is not reached is said in the notes.

    Source: Szegedy et al. 2013, section 4; Madry et al. 2017, section 2.1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        epsilon: largest change of any pixel value, in units of 1/255 (1 to 255; by default 8)
        probability: probability of the class at which to stop, measured on the image as saved (number; by default 0.9)
        steps: maximum number of steps, over which the bound rises to the largest change (1 or more; by default 120)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 0.25)
    """

@overload
def fooling(
    net: NetLike,
    images: ImagesLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    epsilon: int = 8,
    probability: float = 0.9,
    steps: int = 120,
    rate: float = 0.25,
) -> tuple[Pictures, ...]:
    """Fooling: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        epsilon: largest change of any pixel value, in units of 1/255 (1 to 255; by default 8)
        probability: probability of the class at which to stop, measured on the image as saved (number; by default 0.9)
        steps: maximum number of steps, over which the bound rises to the largest change (1 or more; by default 120)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 0.25)
    """

@overload
def fooling_noise(
    net: NetLike,
    target: TargetLike,
    *,
    noise: float = 0.2,
    probability: float = 0.99,
    steps: int = 200,
    rate: float = 1,
    size: int | None = None,
    seed: int = 0,
) -> Pictures:
    """Fooling noise

    A picture of noise that the network takes for the target class: (N, H, W, C), N = 1.

    It starts as N(0.5, noise²) in every value and climbs the log odds of the class as `fooling` does, but as far as
    it likes. Nothing makes it look like anything: a confident answer is no sign that a network has seen something.
    Facts: the probability on the saved 8-bit file and at the start, the root mean square of the change, of 255, and
    the steps. The trust says whether the answer survives a shift of 4 pixels. A class that is not reached is said
    in the notes.

    Source: Nguyen, Yosinski & Clune 2015, sections 3.3 and 3.7.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        noise: standard deviation of the noise at the start, in pixel values from 0 to 1; 0 starts from plain gray (0 to 1; by default 0.2)
        probability: probability of the class at which to stop, measured on the image as saved (number; by default 0.99)
        steps: maximum number of steps (1 or more; by default 200)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 1)
        size: side of the image, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def fooling_noise(
    net: NetLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    noise: float = 0.2,
    probability: float = 0.99,
    steps: int = 200,
    rate: float = 1,
    size: int | None = None,
    seed: int = 0,
) -> tuple[Pictures, ...]:
    """Fooling noise: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        noise: standard deviation of the noise at the start, in pixel values from 0 to 1; 0 starts from plain gray (0 to 1; by default 0.2)
        probability: probability of the class at which to stop, measured on the image as saved (number; by default 0.99)
        steps: maximum number of steps (1 or more; by default 200)
        rate: mean change of a pixel value in one step, in units of 1/255 (number; by default 1)
        size: side of the image, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def interpolation(
    net: NetLike,
    target: TargetLike,
    *,
    end: Target | str | int | None,
    count: int = 5,
    recipe: Recipe | str = ...,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Pictures:
    """Interpolation

    From one target to another in a row of pictures: (N, H, W, C) in 8 bits, for (1 − t) · a + t · b, t from 0 to 1.

    All begin as the same noise and meet the same random touches, and what they have in common at low frequencies is
    one variable (unless the recipe moves single pixels): the row changes step by step, and what stays in its place
    is the same thing. Where one target has the larger numbers, more of the row belongs to it. The fact `step` is how
    far a picture is from the one before it, root mean square over pixels, as a share of the distance between the ends.

    Source: Olah, Mordvintsev & Schubert 2017, section Interaction; Mordvintsev et al. 2018, section 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        end: target at the other end of the row (TARGET; required)
        count: number of images in the row, including both ends (2 or more; by default 5)
        recipe: published recipe, or one with parts of your own: lucid + tv(0.01) (RECIPE; by default "pellucid")
        steps: number of optimization steps (1 or more; by default None)
        size: side of the images, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

@overload
def interpolation(
    net: NetLike,
    target: list[_TargetLike] | tuple[_TargetLike, ...],
    *,
    end: Target | str | int | None,
    count: int = 5,
    recipe: Recipe | str = ...,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
) -> tuple[Pictures, ...]:
    """Interpolation: one result for each target.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        target: A target, or what `Target.of` makes one of: text, the number of a class of any library, a guess of `net.top`, a function of a run; None is the best guess.
        end: target at the other end of the row (TARGET; required)
        count: number of images in the row, including both ends (2 or more; by default 5)
        recipe: published recipe, or one with parts of your own: lucid + tv(0.01) (RECIPE; by default "pellucid")
        steps: number of optimization steps (1 or more; by default None)
        size: side of the images, in pixels (8 or more; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def inversion(
    net: NetLike,
    images: ImagesLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] = (),
    steps: int = 200,
    tv: float | None = None,
    beta: float = 2,
    optimizer: Literal["l-bfgs", "adam"] | Literal["momentum"] = "l-bfgs",
    seed: int = 0,
) -> Pictures:
    """Inversion

    What each layer keeps of each photo: (N, H, W, C) in 8 bits, all layers of the first photo, then of the next.

    From noise, ‖Φ(x) − Φ(x₀)‖² / ‖Φ(x₀)‖² + (λ_TV/2 · Σ (right² + lower²)^(β/2) + λ_α/2 · Σ (x − mean)^6) / σ_x² is
    made small, x in 0..1 and as large as what the network sees of the photo. With the authors' optimizer λ_TV is 1, 10
    or 100, as a cell of the layer sees up to a quarter, up to two thirds, or more of the picture's side: the weights
    of their layers 1–6, 7–12 and 13–20 of AlexNet. With the others it is 0.03, 0.3 and 10, and λ_α is 0 in the first
    two cases: what comes out of a sigmoid need not be kept in bounds.

    The error in the facts is the first term for the finished picture in 8 bits: 0 if the layer cannot tell it from
    the photo, 1 for what looks like nothing to it. What differs although the error is small, the layer has forgotten.

    Source: Mahendran & Vedaldi 2015, section 3, equations 1 to 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layers: layers to invert, each in an image of its own (text; by default ())
        steps: number of loss evaluations (1 or more; by default 200)
        tv: weight λ_TV of the total-variation penalty (0 or more; by default None)
        beta: exponent β of the total variation; 1 gives spikes (number; by default 2)
        optimizer: optimizer: momentum works on pixels at the authors' rates, the others on Fourier coefficients (by default "l-bfgs")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def style_transfer(
    net: NetLike,
    images: ImagesLike,
    *,
    style: PictureLike | None = None,
    loss_weights: tuple[float, float, float] = (0.05, 1, 0.01),
    size: int = 384,
    steps: int = 120,
    optimizer: Literal["l-bfgs", "adam"] = "l-bfgs",
    seed: int | None = None,
) -> Pictures:
    """Style transfer

    Each picture in the style of another: (N, H, W, C) in 8 bits, at the proportions of each.

    Made small is content · ‖F − P‖² / ‖P‖² for the features P that a late stage has of the content, plus style · the
    mean over layers of ‖G − A‖² / ‖A‖² for the Gram matrices A = F Fᵀ / (C · H · W) that the widest layer of each
    octave has of the style, plus tv · the mean squared difference of neighbors over that of a photo's pixels. Each
    term counts relative to what it is compared with, so that the balance means the same for every network. Facts: the
    first two of the finished picture in 8 bits; of the content alone the first is 0.

    Source: Gatys, Ecker & Bethge 2015 (Artistic style), section on methods, equations 1 to 7.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        style: image whose style is used (IMAGE; by default None)
        loss_weights: weights of the content, style and total-variation losses (by default (0.05, 1, 0.01))
        size: longer side of the images made, in pixels (8 or more; by default 384)
        steps: number of loss evaluations; half of them are made at half the size (1 or more; by default 120)
        optimizer: optimizer of the image's Fourier coefficients (l-bfgs | adam; by default "l-bfgs")
        seed: seed of the noise to start from (0 to 9223372036854775807; by default None)
    """

def texture(
    net: NetLike,
    images: ImagesLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] = (),
    size: int = 256,
    scale: int = 256,
    steps: int = 150,
    optimizer: Literal["l-bfgs", "adam"] = "l-bfgs",
    seed: int = 0,
) -> Pictures:
    """Texture

    A picture from noise that has each picture's texture: (N, size, size, C) in 8 bits.

    Made small is the mean over the layers of ‖G − A‖² / ‖A‖², G = F Fᵀ / (C · H · W) of the layer's features F with
    their places forgotten, A that of the given picture. What is made can be tiled without a seam: beyond each edge
    the network sees the opposite side. Facts: this loss of the finished picture in 8 bits, and of the noise it began
    as.

    Source: Gatys, Ecker & Bethge 2015 (Texture synthesis), section 2, equations 1 to 5.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        layers: layers whose Gram matrices are matched (text; by default ())
        size: side of the images made, in pixels (8 or more; by default 256)
        scale: longer side to which the given images are resized, in pixels (8 or more; by default 256)
        steps: number of loss evaluations; half of them are made at half the size (1 or more; by default 150)
        optimizer: optimizer of the image's Fourier coefficients (l-bfgs | adam; by default "l-bfgs")
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
