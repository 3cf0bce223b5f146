"""Landscape: the loss over the weights: how wide, how rough, what between."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.data import DataLike
from pellucid.history import HistoryLike
from pellucid.loss.directions import Direction
from pellucid.loss.options import Extent
from pellucid.net import NetLike
from pellucid.net.nets import NetsLike
from pellucid.result.curve import Curve
from pellucid.result.spectrum import Spectrum
from pellucid.result.surface import Surface
from pellucid.result.table import Table
from pellucid.target.base import TargetLike
from typing import Literal

def between(
    nets: NetsLike,
    data: DataLike,
    *,
    points: int = 61,
    matching: bool = True,
    norms: Literal["frozen", "batch", "reestimated", "interpolated"] = "interpolated",
    test: DataLike | None = None,
    seed: int = 0,
) -> Curve:
    """Between two networks

    Loss (nats) and accuracy at (1 − t) A + t B for values (K,) of t from −0.5 to 1.5, both networks included.

    The barrier is the most by which the loss between them lies above the line from one network's loss to the other's.
    Channels of a network can change places without changing what it computes, and two trainings order them at random:
    with matching, those of B are put into the order in which they are most like those of A, layer by layer, and a
    barrier that is then gone was one of order alone. Norms: interpolated mixes the two networks' statistics,
    reestimated collects those of every place.

    Source: Goodfellow et al. 2015, section 3; Ainsworth et al. 2023, section 2.2 (barrier) and section 3 (matching).

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        points: number of places along an axis, both ends included (3 to 1001; by default 61)
        matching: draw the way to the second network with its channels matched to the first's as well (yes | no; by default True)
        norms: statistics of batch norms: frozen as stored, batch of each batch, reestimated at every place, interpolated between two networks (frozen | batch | reestimated | interpolated; by default "interpolated")
        test: more images, such as those of a test set (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def connect(
    nets: NetsLike,
    data: DataLike,
    *,
    curve: Literal["bezier", "polychain"] = "bezier",
    epochs: int = 15,
    rate: float = 0.01,
    points: int = 61,
    test: DataLike | None = None,
    seed: int = 0,
) -> Curve:
    """Curve between two networks

    Loss (nats) and accuracy for values (K,) of t from 0 to 1 along a curve φ, and along the straight way beside it.

    φ(t) = (1 − t)² A + 2 t (1 − t) C + t² B, or two straight parts that meet in C. C begins halfway and is trained on
    the data to make the loss at a random t least: at each step of 32 images one t is drawn. A and B stay as they are.
    Batch norms use the statistics of the images at every place, collected anew. `meta.found` has the highest loss on
    the curve and on the straight way, of each set of images, and the lengths of both, in weights.

    Source: Garipov et al. 2018, section 3, equations 1 and 2 (mode connectivity).

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        curve: kind of curve: quadratic Bézier, or a chain of two straight parts (bezier | polychain; by default "bezier")
        epochs: number of epochs of the curve's training (1 to 10000; by default 15)
        rate: learning rate of that training by Adam, steps per unit of gradient; it falls to 0 (number; by default 0.01)
        points: number of places along an axis, both ends included (3 to 1001; by default 61)
        test: more images, such as those of a test set (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def convexity(
    nets: NetsLike,
    data: DataLike,
    *,
    points: Extent | int | str = ...,
    direction: Direction | str = ...,
    products: int = 12,
    tolerance: float = 0.01,
    seed: int = 0,
) -> Surface:
    """Convexity over a plane

    |λmin/λmax|, λmax and λmin (nats per squared weight) at places of a plane: values (N, 3, points, points).

    The eigenvalues are the ends of the Hessian of the mean cross entropy over all weights with more than one axis, with
    batch norms as they are stored; directions and scale are those of `plane`, with the same seed the same plane. Close
    to 0 the loss is as good as convex there. A surface that looks convex proves nothing: the curvature that a random
    plane shows is a mean of the curvatures along all axes of the Hessian, in which a few negative ones drown.

    `errors` are residuals: within each of a value there is an eigenvalue, and what that means for the ratio. Values lie
    inside the spectrum: the true λmax is no less and the true λmin no more. Places where a residual is beyond the
    tolerance are counted in the findings. Where the loss overflows the values are NaN.

    Source: Li et al. 2018, section 6 and figure 7 (visualizing the loss landscape); Lanczos 1950.

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        points: number of places along an axis, with the distance of its ends from the center in its units, and how often the grid of a plane is refined, such as 25:reach=0.5,refine=1 (POINTS:reach=…,refine=…; by default "7")
        direction: kind and scale of directions: random, gradient, eigenvector, smallest, or a plane through networks, such as random:normalize=layer (KIND:normalize=…,biases=…; by default "random")
        products: number of products with the Hessian at each place, at most, for both eigenvalues (3 or more; by default 12)
        tolerance: residual at which an eigenvalue counts as found, as a share of it (number; by default 0.01)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def curvature(
    net: NetLike,
    data: DataLike,
    *,
    products: int = 30,
    tolerance: float = 0.001,
    probes: int = 4,
    layers: list[str] | tuple[str, ...] = (),
    seed: int = 0,
) -> Spectrum:
    """Curvature

    Ritz values (K,) of the Hessian, each within its residual of an eigenvalue; trace and density with their errors.

    The loss is the mean cross entropy (nats) over the data, with batch norms as they are stored and dropout off.
    Products are exact, by differentiating twice: differences would meet the kinks of rectifiers. The largest and the
    smallest eigenvalue are found when their residuals are within the tolerance; each value says whether it is.

    Source: Pearlmutter 1994, equation 3; Ghorbani et al. 2019, section 2 and algorithm 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        products: number of products with the Hessian, at most, for the largest and smallest (3 or more; by default 30)
        tolerance: residual at which an eigenvalue counts as found, as a share of it (number; by default 0.001)
        probes: number of random probes for trace and density, each of several products; 0 for none (0 or more; by default 4)
        layers: parameters that count, by the beginnings of their names (text; by default ())
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def line(
    nets: NetsLike,
    data: DataLike,
    *,
    direction: Direction | str = ...,
    count: int = 3,
    points: Extent | int | str = ...,
    norms: Literal["frozen", "batch", "reestimated", "interpolated"] = "frozen",
    test: DataLike | None = None,
    seed: int = 0,
) -> Curve:
    """Loss along a line

    Loss (nats) and accuracy at L(θ + α d): values (K,) at K points for each network, direction and set of images.

    At α = 1 every filter has moved by its own norm, with the default scale. Dropout is off, and the same images are
    shown at every place, so lines are smooth where the loss is. Errors are standard errors over the images. One
    direction is an anecdote: three are drawn by default. `checks` hold the value, the slope and the curvature at the
    center against gradient and Hessian.

    Source: Li et al. 2018, section 4 and equation 1; Goodfellow et al. 2015, section 3.

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        direction: kind and scale of directions: random, gradient, eigenvector, smallest, or a plane through networks, such as random:normalize=layer (KIND:normalize=…,biases=…; by default "random")
        count: number of directions, each with random numbers of its own (1 to 100; by default 3)
        points: number of places along an axis, with the distance of its ends from the center in its units, and how often the grid of a plane is refined, such as 25:reach=0.5,refine=1 (POINTS:reach=…,refine=…; by default "51")
        norms: statistics of batch norms: frozen as stored, batch of each batch, reestimated at every place, interpolated between two networks (frozen | batch | reestimated | interpolated; by default "frozen")
        test: more images, such as those of a test set (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def plane(
    nets: NetsLike,
    data: DataLike,
    *,
    points: Extent | int | str = ...,
    direction: Direction | str = ...,
    norms: Literal["frozen", "batch", "reestimated", "interpolated"] = "frozen",
    test: DataLike | None = None,
    measure: TargetLike = None,
    seed: int = 0,
) -> Surface:
    """Loss over a plane

    Loss (nats) and accuracy at L(θ + α d₁ + β d₂): values (N, Q, points, points) of N networks and Q measures.
    `measure` is one more, a target such as `p(tench)`, or a unit of a layer: its mean over the images.

    At α = 1 every filter has moved by its own norm, with the default scale: that of two networks is the same, and so
    their surfaces can be compared. Dropout is off, and the same images are shown at every place. The directions are
    not made orthogonal, which would change the norms of their filters: `meta.found["cosine"]` is that of their angle.
    `checks` hold value, slopes and curvatures at the center against gradient and Hessian; `meta.found` how far half of
    the images are from all of them, and the loss at the ends of the axes (4 for each network) and of four other random
    directions (8 for each).

    `direction="networks"` lays one plane through the first three networks instead, N = 1: the first is the center, the
    second lies at (1, 0), the axes are at right angles and of one length, and the grid covers them all, or as many
    times as much as the reach in `points` says. Every other network is `placed` by least squares, with its distance
    from the plane and its own loss.

    Source: Li et al. 2018, section 4 and equation 1 (visualizing the loss landscape).

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        points: number of places along an axis, with the distance of its ends from the center in its units, and how often the grid of a plane is refined, such as 25:reach=0.5,refine=1 (POINTS:reach=…,refine=…; by default "25")
        direction: kind and scale of directions: random, gradient, eigenvector, smallest, or a plane through networks, such as random:normalize=layer (KIND:normalize=…,biases=…; by default "random")
        norms: statistics of batch norms: frozen as stored, batch of each batch, reestimated at every place, interpolated between two networks (frozen | batch | reestimated | interpolated; by default "frozen")
        test: more images, such as those of a test set (DATA; by default None)
        measure: target whose mean over the images is drawn besides loss and accuracy, in its own unit (TARGET; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def sharpness(
    net: NetLike,
    data: DataLike,
    *,
    directions: int = 8,
    steps: int = 5,
    products: int = 15,
    test: DataLike | None = None,
    seed: int = 0,
) -> Table:
    """Sharpness

    A table, one row for each measure: its value and error, and whether it is free of the scale of the weights.

    A network whose filters are rescaled, with the norms behind them, computes the same: measures that change with it
    compare networks badly. In large comparisons none of them predicts well how a network generalizes, so a row is a
    description and no verdict; the gap between the data and `test`, where that is given, stands beside them. Worst
    places are found by steps along the gradient: the values are lower bounds.

    Source: Keskar et al. 2017, equation 2; Kwon et al. 2021, equation 3 (ASAM); Andriushchenko et al. 2023, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        directions: number of random directions for averages and widths (2 or more; by default 8)
        steps: number of steps that search the worst place nearby (1 or more; by default 5)
        products: number of products with the Hessian for its largest eigenvalue (3 or more; by default 15)
        test: more images, such as those of a test set (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def trajectory(
    nets: NetsLike,
    data: DataLike,
    *,
    points: int = 25,
    centered: bool = False,
    log: HistoryLike | Sequence[HistoryLike] = (),
    norms: Literal["frozen", "batch", "reestimated", "interpolated"] = "reestimated",
    test: DataLike | None = None,
    seed: int = 0,
) -> Surface:
    """Path of a training

    Checkpoints of one training, in order, on the plane of their two largest components.

    Values (N, Q, points, points) of one plane, N = 1, and Q measures. The rows θᵢ − θₙ, biases included and without any
    scaling, are taken apart about the last network; one unit of an axis is a distance of 1 in weights. `placed` has
    the coordinates of every network, its distance from the plane, and its loss beside the loss on the plane beneath:
    they differ. `meta.found` has the `shares` of the path's variance that the components hold, and two controls: what a
    random plane holds, and what the first two hold of a random walk with steps of the same lengths, which draws smooth
    arcs as well. Raises PellucidError for fewer than three networks.

    Source: Li et al. 2018, section 7 (visualizing the loss landscape); Antognini & Sohl-Dickstein 2018, section 3 (random walks).

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        points: number of places along an axis, both ends included (3 to 1001; by default 25)
        centered: take components about the mean of the networks instead of the last one (yes | no; by default False)
        log: folder of the training run, whose learning rate is read by step (RUN; by default ())
        norms: statistics of batch norms: frozen as stored, batch of each batch, reestimated at every place, interpolated between two networks (frozen | batch | reestimated | interpolated; by default "reestimated")
        test: more images, such as those of a test set (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
