"""Training: what goes wrong in it, and what it has left in the network."""

# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.

from collections.abc import Sequence
from pellucid.data import DataLike
from pellucid.evaluation.explainers import ExplainersLike
from pellucid.evaluation.parts import RegionsLike
from pellucid.history import HistoryLike
from pellucid.images import ImagesLike
from pellucid.learning.recipes import RecipeText
from pellucid.net import NetLike
from pellucid.net.nets import NetsLike
from pellucid.result.study import Study
from torch.nn.modules.module import Module
from typing import Literal
from pellucid.learning.watch import Watch as Watch
from pellucid.learning.callbacks import hugging_face_watch as hugging_face_watch
from pellucid.learning.callbacks import keras_watch as keras_watch
from pellucid.learning.callbacks import lightning_watch as lightning_watch
from pellucid.learning.watch import watch as watch

def calibration(
    net: NetLike,
    data: DataLike,
    *,
    split: Literal["halves", "random"] = "halves",
    bins: int = 15,
    resamples: int = 1000,
    seed: int = 0,
) -> Study:
    """Calibration

    Confidence against accuracy, before and after one temperature: `measures` has one row for each measure.

    A temperature T divides the logits before the softmax. It is fitted on one half of the images, by the smallest mean
    −log p, and everything is shown on the other half alone; no answer changes by it. `reliability` holds the accuracy
    (bins,) at the mean confidence of each bin, whose edges are (i / bins, (i + 1) / bins], with errors that are
    half the width of the Wilson interval over 1.96; `bins` has that interval. Intervals of the measures are
    percentiles of a bootstrap over images; an ECE is never negative, so that resamples lie above it, and `chance` says
    what a perfectly calibrated network would have with so few images. Probabilities follow what the outputs mean.
    Raises Refused for a regression and where labels stand by themselves, PellucidError for fewer than 4 images.

    Source: Guo et al. 2017, sections 2 and 4.2; Naeini et al. 2015, section 3 (ECE); Wilson 1927, equation 1.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        split: choice of the half that the temperature is fitted to: the first images, or any by the seed (halves | random; by default "halves")
        bins: number of bins of confidence, as wide as each other (2 to 1000; by default 15)
        resamples: number of bootstrap resamples for the intervals (20 or more; by default 1000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def curves(
    run: HistoryLike,
    *,
    beside: HistoryLike | Sequence[HistoryLike] = (),
    patience: int = 10,
    loss_increase: float = 5.0,
) -> Study:
    """Training curves

    What a training run has written down, and what it says: one row for each run and stopping rule (`stopping`).

    Losses and accuracies of training and test images over the steps, and their gaps; the lowest test loss is marked.
    Early stopping ends the training after `patience` evaluations without a lower test loss, or where the test loss is
    `loss_increase` percent above its lowest so far (GL), when it has risen over 3 strips of 5 evaluations (UP), or when
    GL is over half of what training still gains (PQ), and keeps the best weights until then; its regret is how much
    better the best of the whole run would have been. `findings` name over-fitting, plateaus, spikes, what is not
    finite, and where loss and accuracy disagree about the best step; steps that overshoot, where "lambda max" and "lr"
    were written down; of a run that was watched, layers whose signal or gradient vanishes or explodes, dead units, and
    updates too large or too small, beside grids of layers and steps. Values that are not finite are gaps.

    Source: Prechelt 1998, section 2.2 (early stopping criteria); Goodfellow et al. 2016, section 7.8.

    Args:
        run: A training run, or its folder: with *.jsonl and checkpoints.
        beside: further training runs, laid beside the first (RUN; by default ())
        patience: number of evaluations without a lower test loss, after which to stop (1 to 1000000; by default 10)
        loss_increase: increase of the test loss over its lowest at which to stop, in percent (number; by default 5.0)
    """

def depth(
    net: NetLike,
    data: DataLike,
    *,
    depths: Sequence[int] = (2, 10, 30),
    variants: Sequence[Literal["small", "he", "norm", "residual", "norm+residual"]] = ("small", "he", "norm", "residual", "norm+residual"),
    rates: Sequence[float] = (0.003, 0.03),
    epochs: int = 10,
    samples: int = 800,
    seed: int = 0,
) -> Study:
    """Depth, batch norm and skips

    Chains of fully connected layers of width 64 trained on the data: one row for each variant and depth (`trained`).

    A deeper network can do all that a shallower one can, so that its accuracy should not fall; whether it does says how
    well signal and gradient pass. Each chain is trained by SGD with momentum 0.9 and batches of 32, once with each
    learning rate, and the best is shown. The held-out images are as many others of the data, or a fourth of it where
    there are not enough. Branches of skip connections are scaled by 1/√depth without batch norm. The network gives
    preprocessing and classes; its own accuracy on the held-out images is drawn beside, and it is left as it is.

    Source: He et al. 2016, section 4.1 and figure 1; Ioffe & Szegedy 2015, section 3.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        depths: numbers of hidden layers to compare (whole number; by default (2, 10, 30))
        variants: chains to compare: small, he, norm, residual, norm+residual (by default ("small", "he", "norm", "residual", "norm+residual"))
        rates: learning rates to try, steps per unit of gradient (number; by default (0.003, 0.03))
        epochs: number of epochs of each training (1 to 1000; by default 10)
        samples: number of images to train on, drawn at random (8 to 1000000; by default 800)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def double_descent(
    data: DataLike,
    *,
    multiples: Sequence[float] = (0.15, 0.3, 0.6, 0.9, 1.0, 1.1, 1.3, 2.0, 3.5, 10.0),
    samples: int = 300,
    label_noise: float = 0.1,
    draws: int = 5,
    size: int = 28,
    seed: int = 0,
) -> Study:
    """Double descent

    Least squares of smallest norm on p random features of the images: one row for each p (`features`).

    The features are relu(w·x), x the pixels and w Gaussian; the answer is c·features, with the c of smallest norm among
    those that fit the one-hot labels best, in float64 and without any regularization or iteration. Below p = n the
    training labels cannot be fitted and the test error is U-shaped; near p = n it has its peak, and ‖c‖ with it; beyond
    it falls again, with enough features below all that few can do. No network is asked. The held-out images are up to
    five times as many others of the data, or a fourth of it where there are not enough; their labels have no noise.
    Raises PellucidError for fewer than 8 images, Refused where they differ in shape once they are shrunk.

    Source: Belkin et al. 2019, section 2 and figure 2 (reconciling modern machine learning and bias-variance).

    Args:
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        multiples: numbers of features, as multiples of the number of training images (number; by default (0.15, 0.3, 0.6, 0.9, 1.0, 1.1, 1.3, 2.0, 3.5, 10.0))
        samples: number of images to train on, drawn at random (4 to 20000; by default 300)
        label_noise: share of the training labels that another class replaces (0 to 1; by default 0.1)
        draws: number of draws of features and label noise (1 to 1000; by default 5)
        size: pixels per side that larger images are shrunk to (1 to 512; by default 28)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def doubt(
    net: NetLike,
    data: DataLike,
    *,
    ood: DataLike | None = None,
    samples: int = 50,
    rate: float | None = None,
    seed: int = 0,
) -> Study:
    """Doubt

    Images by the network's doubt under dropout, the most doubtful first: `images` has one row for each image.

    `worth` says what each kind of doubt is good for: how well it tells wrong answers from right ones, and images of
    another kind (`ood`) from these, as areas under the ROC curve with their errors. `accuracy` holds a line (20,) for
    each kind: the accuracy of the share of the images that the network doubts least. `answers` compares the network
    as it is with the mean over the masks. Parts of doubt and masks are those of `uncertainty`. Raises Refused where
    the network has no dropout.

    Source: Gal & Ghahramani 2016, section 4; Houlsby et al. 2011, equation 2; DeLong et al. 1988, section 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        ood: images of another kind (out of distribution), whose classes do not count (DATA; by default None)
        samples: number of passes, each with other masks (2 to 100000; by default 50)
        rate: probability that a number is dropped, instead of each layer's own (number; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def gradient_flow(
    net: NetLike,
    data: DataLike,
    *,
    checkpoints: NetsLike | None = None,
    norms: Literal["frozen", "batch"] = "frozen",
    samples: int = 64,
    seed: int = 0,
) -> Study:
    """Gradient flow

    Signal and gradient in every layer with weights, and what they say: one row for each layer in `layers`.

    From one pass forward and back over some images: the standard deviation of what each convolution and linear layer
    gives (h), and the root mean square of ∂L/∂h, L being the loss of one image. Gradients by weights would not show it:
    a signal that shrinks through 50 layers to a billionth of itself leaves them at one size. `findings` name the
    verdicts: a signal that explodes, vanishes or fades, a gradient that vanishes or explodes, dead and saturated units;
    where values are not finite, the first layer that has such. `verdicts` has one row for each network, so that
    checkpoints before, during and after training stand side by side, in grids of layers × networks too.

    The network is left as it is, and dropout is off. What batch norm does to gradients in training is seen with `norms`
    "batch".

    Source: Glorot & Bengio 2010, section 4 and figures 6, 7; He et al. 2015, section 2.2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        checkpoints: checkpoints of the network, or others of its kind, that are looked at beside it (NETS; by default None)
        norms: statistics of batch norm: frozen, as stored; batch, of the images, as in training (frozen | batch; by default "frozen")
        samples: number of images, drawn at random from the data (2 to 4096; by default 64)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def initialization(
    net: NetLike,
    data: DataLike,
    *,
    schemes: list[str] | tuple[str, ...] = ("small", "xavier", "he", "orthogonal", "lsuv"),
    epochs: int = 2,
    lr: float = 0.03,
    repeats: int = 2,
    samples: int = 256,
    seed: int = 0,
) -> Study:
    """Initialization schemes

    Copies of the network with new weights: one row for each scheme and network, with its spread over the seeds.

    Before the first step: the standard deviation of what each convolution and linear layer gives (h) and the RMS of
    ∂L/∂h, on up to 64 of the images and with batch norm's statistics of these, as training meets them. Dashed beside
    them: what mean field theory expects of a plain chain of the layers, from the measured first layer on and from the
    last hidden layer back, wherever a rectifier, tanh or sigmoid follows; skip connections depart from it. Then the
    loss over the first epochs of SGD with momentum 0.9 and batches of 32. Schemes with -norm are of copies whose batch
    norms are taken out, those with +norm of copies that have one behind every convolution and linear layer but the
    last, where the network has none itself. The network is left as it is.

    Source: He et al. 2015, section 2.2 and figure 3; Schoenholz et al. 2017, section 3; Mishkin & Matas 2016.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        schemes: schemes to compare: zeros, constant (0.01), small (N(0, 0.01²)), unit (N(0, 1)), xavier, he, lecun, orthogonal, lsuv; he+norm with batch norm behind each layer with weights but the last, he-norm without any batch norm, and so on (text; by default ("small", "xavier", "he", "orthogonal", "lsuv"))
        epochs: number of epochs of training after each start (0 to 1000; by default 2)
        lr: learning rate of SGD, step per unit of gradient (number; by default 0.03)
        repeats: number of seeds of each scheme (1 to 100; by default 2)
        samples: number of images to train on, drawn at random (4 to 1000000; by default 256)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def intrinsic_dimension(
    net: NetLike,
    data: DataLike,
    *,
    dimensions: Sequence[int] = (10, 20, 40, 60, 80, 120, 200, 300),
    epochs: int = 30,
    lr: float = 0.001,
    samples: int = 1000,
    repeats: int = 2,
    seed: int = 0,
) -> Study:
    """Intrinsic dimension

    Accuracy where only v is trained, θ = θ₀ + M v: one row for each number of directions (`dimensions`).

    θ₀ are new weights of a copy of the network (He et al. 2015), the columns of M random directions of length 1 among
    all its parameters. `meta.found["d_int90"]` is the least d with 90 % of the accuracy of all weights, interpolated
    between the d tried, and its bounds are where the curve a standard error higher and lower gets there; None where it
    does not. Adam with batches of 32 and a cosine schedule; the learning rate of v is 10 √(P/d) times that of the P
    weights, so that steps are ten times as long. The held-out images are as many others of the data, or a fourth of it
    where there are not enough. M takes P · d numbers; beyond 1 GiB it is drawn anew in every pass. The network itself
    is left as it is.

    Source: Li et al. 2018, sections 1 and 2 (measuring the intrinsic dimension of objective landscapes).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        dimensions: numbers of random directions to train in (whole number; by default (10, 20, 40, 60, 80, 120, 200, 300))
        epochs: number of epochs of each training (1 to 100000; by default 30)
        lr: learning rate of Adam for all weights, step per unit of gradient (number; by default 0.001)
        samples: number of images to train on, drawn at random (8 to 1000000; by default 1000)
        repeats: number of seeds (1 to 100; by default 2)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def invariance(
    net: NetLike,
    data: DataLike,
    *,
    transforms: Sequence[Literal["translation", "rotation", "scale", "flip", "brightness", "blur", "noise", "jpeg"]] = ("translation", "rotation", "scale", "flip", "brightness", "blur", "noise", "jpeg"),
    border: Literal["mirror", "edge", "wrap", "gray"] = "mirror",
    layer: str | Module | None = None,
    other_nets: NetsLike | None = None,
    seed: int = 0,
) -> Study:
    """Invariance

    Accuracy, consistency and representation under transforms: `transforms` has one row for each magnitude of each.

    Pixels are transformed as the network is shown them, after resizing and cropping. A curve for each family holds
    its lines (magnitudes,) with the untransformed images among them; errors are half the width of Wilson intervals
    over 1.96. `shifts` has the shifts by one pixel, under which aliasing shows; `symmetries` tells which transforms
    that lose no pixel change nothing but rounding; the grid `classes` has the change of accuracy of each class (rows)
    under each family (columns), a mean over its magnitudes. With `other_nets` each curve has their lines as well, and
    `networks` has one row for each network and family. Raises Refused for a regression.

    Source: Goodfellow et al. 2009, section 3; Zhang 2019, section 4.2; Azulay & Weiss 2019, figure 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        transforms: transforms to try, each over its magnitudes (by default ("translation", "rotation", "scale", "flip", "brightness", "blur", "noise", "jpeg"))
        border: fill of what a transform uncovers: the image mirrored, its edge, wrapped, or gray 0.5 (mirror | edge | wrap | gray; by default "mirror")
        layer: layer whose representation is compared (text; by default None)
        other_nets: networks of the same classes to lay beside, such as before training with augmentation (NETS; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def linear_regions(
    nets: NetsLike,
    data: DataLike,
    *,
    segments: int = 5,
    resolution: float = 1e-09,
    max_passes: int = 5000,
    seed: int = 0,
) -> Study:
    """Linear regions

    Linear regions between images of the data: one row for each network (`networks`), and for each segment.

    A network of rectifiers, pooling and linear layers is affine wherever its activation pattern stays the same, and the
    pixels of one pattern are a convex set: two places with one pattern have no change between them, so bisection in
    float64 misses none that is longer than `resolution`, as a fixed grid does. What depth can do (regions that grow
    exponentially with it) and what it does at random weights (regions as many as units) is seen by comparing networks.
    Raises Refused where the network is not affine between its changes, as with GELU, tanh or attention.

    Source: Hanin & Rolnick 2019, section 3 and figure 2; Montúfar et al. 2014, theorem 4 (number of linear regions).

    Args:
        nets: One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a mapping, under its keys.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        segments: number of segments, each between two images drawn at random (1 to 10000; by default 5)
        resolution: length, as a share of the segment, below which two changes count as one (1e-12 to 0.01; by default 1e-09)
        max_passes: number of images run for a segment, after which it counts as it is (2 to 1000000000; by default 5000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def lottery_tickets(
    net: NetLike,
    data: DataLike,
    *,
    rounds: int = 8,
    pruned: float = 0.35,
    epochs: int = 30,
    samples: int = 600,
    repeats: int = 2,
    seed: int = 0,
) -> Study:
    """Lottery tickets

    Iterative magnitude pruning with rewinding: one row for each kind and round (`tickets`).

    Copies of the network with new weights (He et al. 2015) are trained; in each layer the smallest weights go, those
    that stay are put back to their first values, and it is trained again. Of the layer that makes the classes half that
    share goes, as in the paper; biases and norms stay. Two controls with as many weights in each layer say what the
    ticket owes to what: the same mask with new first values, and another mask. Adam with a learning rate of 0.001,
    batches of 32. The held-out images are as many others of the data, or a fourth of it where there are not enough.
    The network itself is left as it is. Raises Refused for a network without such weights.

    Source: Frankle & Carbin 2019, section 2 and figure 1 (the lottery ticket hypothesis).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        rounds: number of times that weights are taken away (1 to 100; by default 8)
        pruned: share of the weights left in each layer that go in a round (number; by default 0.35)
        epochs: number of epochs of each training (1 to 100000; by default 30)
        samples: number of images to train on, drawn at random (8 to 1000000; by default 600)
        repeats: number of seeds (1 to 100; by default 2)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def memorization(
    net: NetLike,
    data: DataLike,
    *,
    kinds: Sequence[Literal["true labels", "half random", "random labels", "shuffled pixels", "noise images"]] = ("true labels", "half random", "random labels", "shuffled pixels", "noise images"),
    epochs: int = 150,
    lr: float = 0.001,
    samples: int = 1000,
    seed: int = 0,
) -> Study:
    """Memorization of random labels

    Copies of the network with new weights, trained on true and on meaningless data: one row for each kind (`kinds`).

    All start from the same weights (He et al. 2015), and end when 99 % of the training images have the answer of the
    labels that were given, or after `epochs`. A random label is any class of the training images, also the true one. A
    network that fits random labels has a capacity with which a low training error says nothing about others: these are
    answered by chance. Adam, batches of 32, no augmentation, no weight decay; dropout acts if the network has it. The
    held-out images are as many others of the data, or a fourth of it where there are not enough; their pixels are
    changed alike, their labels never. The network itself is left as it is.

    Source: Zhang et al. 2017, section 2 and figure 1 (understanding deep learning requires rethinking generalization).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        kinds: changes of the data to train with: true labels, half random, random labels, shuffled pixels, noise images (by default ("true labels", "half random", "random labels", "shuffled pixels", "noise images"))
        epochs: number of epochs after which training ends (1 to 100000; by default 150)
        lr: learning rate of Adam, step per unit of gradient (number; by default 0.001)
        samples: number of images to train on, drawn at random (8 to 1000000; by default 1000)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def pruning(
    net: NetLike,
    data: DataLike,
    *,
    kept: Sequence[float] = (0.7, 0.5, 0.3, 0.2, 0.1, 0.05),
    layer_kept: float = 0.2,
    controls: int = 3,
    max_loss: float = 0.01,
    steps: int = 0,
    seed: int = 0,
) -> Study:
    """Pruning

    Accuracy against the share of weights kept: `kept` has one row for each scheme and share.

    Weights of convolutions and linear layers are set to 0, in a view of the network that is not changed; biases and
    norms stay. `accuracy` holds a line (shares,) for each scheme, with errors that are half the width of the Wilson
    interval over 1.96 (for random weights the spread over the draws, where that is larger). With `steps` every scheme
    has a second line, of copies that were trained again with these zeros; half of the images, at random, are then
    trained on, and only the others judge anything. `layers` has one row for each layer that is pruned alone: which of
    them the network is sensitive to. `removed` has one row for each layer or block taken out whole, where it gives the
    shape that it takes, one after another, first those that cost least alone; their share is of all parameters.
    Zeros save no time by themselves. Raises Refused for a regression and for a network without such weights.

    Source: Han et al. 2015, section 3; Li et al. 2017, section 3.1 and figure 2 (channels, layer by layer).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        kept: shares of the weights that stay, each from 0 to 1 (number; by default (0.7, 0.5, 0.3, 0.2, 0.1, 0.05))
        layer_kept: share of the weights of one layer that stay while all others are whole (number; by default 0.2)
        controls: number of draws of random weights (1 to 100; by default 3)
        max_loss: share of the images whose right answer may be lost (0 or more; by default 0.01)
        steps: number of steps of retraining, on half of the images; 0: none (0 to 1000000; by default 0)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def right_reasons(
    net: NetLike,
    data: DataLike,
    *,
    masks: RegionsLike,
    reasons: str = "gradient",
    strength: float | None = None,
    recipe: RecipeText | str = ...,
    test: DataLike | None = None,
    save: str | None = None,
) -> Study:
    """Right for the right reasons

    Two copies are trained on: as before, and with a loss on the explanation inside masks. `networks` has
    one row for each: the given network, the control and the repaired one.

    The loss is cross entropy + strength · the mean over images of Σ (mask · ∂/∂x Σ_k log p_k)², over the normalized
    pixels x; integrated gradients and Grad-CAM (the share of the map inside, squared) stand for the gradient where
    `reasons` says so, Grad-CAM by the last layer with maps or the one that is named. With exchange it is the cross
    entropy of the images with the masked part taken from others of the batch: no explanation is held down, and a thing
    that is seen everywhere says nothing. Three fourths of the images are trained on and the others judge: as they are,
    and with the masked part exchanged between images. The control tells what further training alone does. `grids` are
    (rows, columns) mean squared gradients. Norms keep their stored statistics. Adam and a learning rate of 0.001 that
    falls along half a cosine unless `recipe` says else. With `save` the weights are there for `load(…, weights=FILE)`;
    the given network is not changed. Raises PellucidError where no image has a mask, and Refused for a regression.

    Source: Ross, Hughes & Doshi-Velez 2017, equation 1 and section 4 (decoys); Schramowski et al. 2020 (Grad-CAM).

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        masks: part to avoid: 'bottom right', a box top,left,bottom,right in shares, a mask or a folder (REGION; required)
        reasons: explanation held down: gradient, integrated_gradients, grad_cam, LAYER; or exchange (text; by default "gradient")
        strength: weight of the penalty against the cross entropy (0 or more; by default None)
        recipe: training, such as epochs=20,lr=0.001,batch=32,optimizer=adam,seed=0 (NAME=VALUE,…; by default "epochs=20")
        test: images without the masked thing, to test on (DATA; by default None)
        save: file of the trained weights, ending in .safetensors (text; by default None)
    """

def saliency_input(
    net: NetLike,
    data: DataLike,
    *,
    of: ExplainersLike = ...,
    way: Literal["channel", "product"] = "channel",
    recipe: RecipeText | str = ...,
) -> Study:
    """Saliency as an input

    Three copies are trained on, and shown a map (H, W) in 0..1 with each image: none, its own, another image's.

    `networks` has one row for each. The maps are those that `of` makes of the given network for its best guess, in
    training as on the images that judge: no map knows the label. What the control gains, that is trained with the maps
    of other images, is not owed to where the maps point. As a "channel" the map is added to every channel with weights
    of its own, which begin as zeros; as a "product" it multiplies the normalized pixels, so that where it is 0 the mean
    color is seen. Three fourths of the images are trained on, the others judge. Norms keep their stored statistics. It
    is trained by Adam, with a learning rate of 0.001 that falls along half a cosine, unless `recipe` says else. The
    given network is not changed. Raises PellucidError for fewer than 8 images, and Refused for a regression.

    Source: Murabito et al. 2018, section 3 (saliency beside the image); the control with other images' maps is ours.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        of: attribution method with its options (METHOD,…; by default "grad_cam")
        way: place of the map: one more channel, or a factor of the pixels (channel | product; by default "channel")
        recipe: training, such as epochs=10,lr=0.001,batch=32,optimizer=adam,seed=0 (NAME=VALUE,…; by default "epochs=10")
    """

def sim_to_real(
    net: NetLike,
    data: DataLike,
    *,
    simulated: DataLike | None = None,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    shots: Sequence[int] = (1, 2, 5, 10, 20),
    repeats: int = 3,
    steps: int = 100,
    seed: int = 0,
) -> Study:
    """Simulation to real

    Accuracy on real images (`data`) of a network trained on simulated ones: `accuracy` has one row for each kind of
    images, `domains` one row for each layer, `classes` one row for each class.

    Half of the real images, at the most, are there to learn from, the others judge. Norms re-estimated means that the
    batch norms take their statistics from the former, without labels. `domains` tells how well a linear read-out
    says whether an image is simulated or real, on images it was not fitted to, before and after that (0.5: the layer
    does not know), and the cosine between the covariances of its features. The curve "real labels" has what labels of
    real images bring: from scratch, a new head on frozen layers (the read-out of the last layer), and fine-tuned with
    its own head. Both of these start from the re-estimated norms, which then keep their statistics; those of a network
    from scratch are the batch's. Beyond the crossing, the simulation costs more than it brings. Errors join
    the spread over draws and that of the images that judge. Raises PellucidError where no class has two images.

    Source: Tobin et al. 2017, section 4; Li et al. 2017 (AdaBN), section 3; Ben-David et al. 2007, section 4.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        simulated: images like those that the network was trained on, to compare with the real ones (DATA; by default None)
        layers: layers at which both kinds of images are compared (by default None)
        shots: numbers of real labels per class (whole number; by default (1, 2, 5, 10, 20))
        repeats: number of draws of the labeled real images (1 to 100; by default 3)
        steps: number of steps of each training; 0: nothing is trained (0 to 1000000; by default 100)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def transfer(
    net: NetLike,
    data: DataLike,
    *,
    layers: list[str] | list[Module] | list[str | Module] | tuple[str | Module, ...] | None = None,
    shots: Sequence[int] = (1, 5, 20),
    repeats: int = 3,
    steps: int = 100,
    source: DataLike | None = None,
    seed: int = 0,
) -> Study:
    """Transfer

    Accuracies on a new task, whose classes need be none of the network's: `layers` has one row for each layer and
    number of labels, `trained` one row for each way to use the network, kept layers and number of labels.

    A linear read-out of a layer is ridge regression on its features, of a large map the means over a coarse grid;
    that of the pixels stands beside. Recycled is the read-out of the last layer. Fine-tuned keeps all layers and
    trains them under a new head; from scratch begins with random weights. In the curve "kept layers" those up to a
    layer are kept, frozen or trained as well, and all others begin anew. Norms of kept layers use their stored
    statistics, those of new layers the batch's. Errors join the spread over draws and that of the images that
    judge, which are never trained on. The grid `cka` compares layers (rows) with those of the fine-tuned network
    (columns), on the same images. CKA needs these, and two data sets have none in common: with `source`, a table has
    for each layer the cosine of the covariances of its features over both, which is CKA with features and images
    changing places, and how well a linear read-out tells the sets apart. Raises PellucidError for too few images.

    Source: Yosinski et al. 2014, section 2 and figure 2; Kornblith et al. 2019, section 3; Alain & Bengio 2016.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        data: Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch DataLoader or map-style data set, or (images, labels).
        layers: layers to read out and to keep, in the order of execution (by default None)
        shots: numbers of labeled images per class (whole number; by default (1, 5, 20))
        repeats: number of draws of the labeled images (1 to 100; by default 3)
        steps: number of steps of each training; 0: nothing is trained (0 to 1000000; by default 100)
        source: images that the network was trained on, to compare with; classes do not count (DATA; by default None)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """

def uncertainty(
    net: NetLike,
    images: ImagesLike,
    *,
    samples: int = 100,
    rate: float | None = None,
    count: int = 5,
    seed: int = 0,
) -> Study:
    """Uncertainty

    The spread of the answers under dropout, everything else as in use: `images` has one row for each image.

    Only dropout acts, also that which is a call of `F.dropout`; batch norm keeps its statistics. The total
    uncertainty H[E p] is the sum of an aleatoric part E H[p] and an epistemic part, by which the samples disagree.
    `classes` has the probable classes of each image with their standard deviations; a grid for each image, under its
    name, is the histogram of their probabilities, values (classes, 20) as shares of the samples. Masks depend on seed,
    image, sample and call alone. Of a regression `outputs` has mean and deviation of each output instead. Raises
    Refused where two passes are identical: the network has no dropout.

    Source: Gal & Ghahramani 2016, section 4; Houlsby et al. 2011, equation 2 (BALD); Kendall & Gal 2017, section 2.

    Args:
        net: A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`.
        images: Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several.
        samples: number of passes, each with other masks (2 to 100000; by default 100)
        rate: probability that a number is dropped, instead of each layer's own (number; by default None)
        count: number of classes shown, the most probable ones (1 or more; by default 5)
        seed: seed of the random numbers; each image and sample has its own (0 to 9223372036854775807; by default 0)
    """
