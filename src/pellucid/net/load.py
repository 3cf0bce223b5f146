"""From what a person calls a network to a Net."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast, get_args

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from pellucid import settings
from pellucid.ambient import neutral
from pellucid.errors import BadNetwork, MissingDevice, PellucidError, UnknownName, unknown
from pellucid.images.arrays import check_range
from pellucid.loading import Interpolation, LoadOptions, Scores, declared
from pellucid.net import Net, NetLike
from pellucid.net.checkpoint import SUFFIXES, read_checkpoint
from pellucid.net.dimensions import refused_once
from pellucid.net.fit import fitted
from pellucid.net.guard import unready
from pellucid.net.label_files import labels_of
from pellucid.net.layers import blank
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import FUNCTION, Found, bare, find
from pellucid.net.transforms import Preprocessing, adopted
from pellucid.net.units import on_scale, per_channel
from pellucid.plugins import NETWORKS, forms

_FOREIGN = {".onnx": "ONNX", ".h5": "Keras", ".keras": "Keras", ".tflite": "TensorFlow Lite"}
"""Networks of other libraries, by the suffixes of their files."""


@declared(LoadOptions)
@neutral()
def load(spec: NetLike, *, preprocess: Preprocessing | None = None, **options: Unpack[LoadOptions]) -> Net:
    """A network to study.

    `spec` is a name (`timm:resnet50`; the help of `--net` lists all kinds), a function of your own that makes it
    (`package.module:function`, `path/to/file.py:function`), an nn.Module, a Net, or a pellucid.toml (or its folder),
    whose network and options these are, as far as nothing else is said. `weights` is a checkpoint to put
    into (a copy of) it, or 'random'; without it, a named network comes with its trained weights. The rest says what
    the source does not know, or overrides it:
    `size` (side, or height and width, in pixels), `mean` and `std` per channel (for pixels in 0..1), `interpolation`
    (bilinear, bicubic, nearest), `labels` (names, or a file: a name per line, JSON, a table), `output` (which
    tensor, where the network returns several: 'logits', '0'), `channels` (of the images that it takes),
    `value_range` (the data's full scale, (0, 65535) of 16 bits: `mean` and `std` are then in these units, and images
    that are deeper than 8 bits are read on this scale), `scores`
    (what the numbers of its classes mean: 'logits' of classes that exclude one another, 'multilabel' for logits of
    labels that each stand by themselves, 'probabilities', 'log_probabilities', or 'regression' for values that are
    no classes; unless it is said, a network that ends in softmax or sigmoid is taken by its word, and any other
    for logits).

    `preprocess` is how images are prepared, as you have it in code: torchvision's transforms, which are read as values;
    'zscore' (each image less its mean, by its deviation; an image of one color, such as a black baseline, has none:
    ask with baseline='blur'); or a function of pixels (N, C, H, W) in 0..1, which becomes the network's first
    step. `clip` shows the network the ends of `value_range` where values lie beyond them.

    Checkpoints are never unpickled; `module:function` runs the user's code. The global random generators are
    left alone. Raises BadNetwork, UnknownName or MissingExtra in one line.
    """
    if isinstance(spec, (str, Path)) and settings.is_settings(spec):
        found_there = settings.read(spec).checked()
        said_here = {name: value for name, value in options.items() if value is not None}
        both = cast(LoadOptions, {**found_there.options, **said_here})
        return load(found_there.network or "bundled", preprocess=preprocess, **both)
    weights, labels, output, scores = (
        options.get("weights"), options.get("labels"), options.get("output"), options.get("scores"),
    )  # fmt: skip
    found, said = _found(spec, weights), list(spec.said) if isinstance(spec, Net) else []
    if weights is not None and weights != "random":
        tensors = read_checkpoint(weights)
        module = fitted(found.module, tensors, file=str(weights), name=found.name, say=said.append)
        found = replace(found, module=module)
    for part in found.module.modules():
        if any(tensor is not None and is_lazy(tensor) for tensor in part._parameters.values()):
            raise unready(part)
    if preprocess is not None:
        module, name, taken = adopted(found.module, found.name, found.preprocess, preprocess)
        found = replace(found, module=module, name=name, preprocess=taken)
    seen = _adjusted(found.preprocess, options)
    names = found.labels if labels is None else labels_of(labels)
    if output is not None and not isinstance(output, str):
        raise PellucidError(f"output={output!r}: a name or index as text, for example 'logits' or '0'")
    if scores is not None and scores not in get_args(Scores):
        raise unknown("meaning of scores", str(scores), get_args(Scores), show=5)
    which, means = found.output if output is None else output, found.scores if scores is None else scores
    if isinstance(spec, Net) and (found.module, seen, seen.unstated, names, which, means) == (
        spec.module,
        spec.preprocess,
        spec.preprocess.unstated,
        spec.labels,
        spec.output,
        spec.scores,
    ):
        return spec
    once = tuple(dict.fromkeys(said))
    origin = _origin(spec, options) if preprocess is None else None
    net = Net(found.module, found.name, seen, names, which, means, said=once, origin=origin)
    shape = seen.channels or 3, seen.size or (32, 32)
    refused_once(net._cache, net.module, lambda: blank(net.module, *shape), net.name)
    return net


def again(origin: Mapping[str, Any]) -> Net:
    """The network of `Net.origin`: what `load` makes of these arguments. Raises BadNetwork where none is a `spec`."""
    if not isinstance(origin.get("spec"), str):
        raise BadNetwork(
            f"{dict(origin)} names no network: {{'spec': 'timm:resnet50', …}}, as load takes its arguments"
        )
    return load(**origin)


def _origin(spec: Any, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments as plain values; None where some are no more than in memory."""
    said = {"spec": spec, **{name: value for name, value in options.items() if value is not None}}
    plainly = {name: str(value) if isinstance(value, Path) else value for name, value in said.items()}
    try:
        text = json.dumps(plainly)
    except TypeError:
        return None
    return dict(json.loads(text))


def _found(spec: Any, weights: Any) -> Found:
    if weights is not None and not isinstance(weights, (str, Path)):
        raise BadNetwork(f"weights={type(weights).__name__}: None, 'random' or the path of a checkpoint")
    if isinstance(spec, (str, Path)):
        source, rest = _source(str(spec))
        if source == FUNCTION and weights == "random":
            raise BadNetwork(f"{str(spec)!r} decides on its weights itself: leave out weights='random'")
        with _repeatable():
            found = find(source, rest, pretrained=weights is None)
        if source != FUNCTION:  # what the user's own code makes keeps its mode
            found.module.eval()
        return found
    if weights == "random":
        raise BadNetwork("weights='random' is for networks that have a name; this module has its weights already")
    if isinstance(spec, Net):
        return Found(spec.module, spec.name, spec.preprocess, spec.labels, spec.output, spec.scores)
    if isinstance(spec, nn.Module):
        module = _unwrapped(spec)
        return Found(module, type(module).__name__, bare(module))
    raise BadNetwork(
        f"a network is an nn.Module, a Net or a name ({', '.join(forms(NETWORKS))}), no {type(spec).__name__}"
    )


def _source(spec: str) -> tuple[str, str]:
    """Which source knows `spec`, and what it is to look for."""
    scheme, colon, rest = spec.partition(":")
    if scheme != FUNCTION and NETWORKS.has(scheme):
        return scheme, rest
    if Path(spec).suffix.lower() in SUFFIXES:
        _refuse_pickled(spec)
        raise BadNetwork(
            f"{spec!r} holds weights, which are no architecture: load('timm:NAME', weights={spec!r}), "
            "or weights= with whatever names or makes the network"
        )
    if kind := _FOREIGN.get(Path(spec).suffix.lower()):
        raise UnknownName(
            f"no network {spec!r}: {kind} is not read; write a function that makes an nn.Module of it, "
            "'path/to/file.py:function'"
        )
    if colon:
        return FUNCTION, spec
    if spec.endswith(".py"):
        raise UnknownName(f"no network {spec!r}: say which function in it makes the network, '{spec}:FUNCTION'")
    raise UnknownName(f"no network {spec!r}: a network is {', '.join(forms(NETWORKS))}; for example timm:resnet50")


def _refuse_pickled(spec: str) -> None:
    """Say what is wrong with a file that would be refused as weights, too."""
    if Path(spec).is_file():
        try:
            read_checkpoint(spec)
        except BadNetwork as error:
            raise BadNetwork(
                f"{error}; then say what makes the network as well, load('file.py:FUNCTION', weights='weights.pth')"
            ) from error


@contextmanager
def _repeatable() -> Iterator[None]:
    """Random weights are the same each time, and torch's generator is as before afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


def _unwrapped(module: nn.Module) -> nn.Module:
    """The network itself, without what runs it on many devices or compiles it."""
    if isinstance(module, torch.jit.ScriptModule):
        raise BadNetwork("TorchScript lets nobody look inside: give the nn.Module that it was made from")
    if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return _unwrapped(module.module)
    original = getattr(module, "_orig_mod", None)  # torch.compile
    return _unwrapped(original) if isinstance(original, nn.Module) else module


def _adjusted(known: Preprocess, options: LoadOptions) -> Preprocess:
    """`known` with what the user says instead. Raises PellucidError for what cannot be."""
    channels, size, interpolation = options.get("channels"), options.get("size"), options.get("interpolation")
    mean, std = options.get("mean"), options.get("std")
    if channels is not None and not (isinstance(channels, int) and channels > 0):
        raise PellucidError(f"channels={channels!r}: a number of channels, such as 1 or 3")
    if size is not None:
        known = _resized(known, _pair(size))
    if interpolation is not None:
        if interpolation not in get_args(Interpolation):
            raise unknown("interpolation", str(interpolation), get_args(Interpolation))
        known = replace(known, interpolation=interpolation)
    known = replace(known, channels=known.channels if channels is None else channels)
    known = on_scale(known, check_range(options.get("value_range")))
    clip = options.get("clip")
    known = replace(known, clip=known.clip if clip is None else clip)
    if known.clip and known.value_range is None:
        raise PellucidError("clip=True: say to which values, with value_range=(LOW, HIGH)")
    if mean is not None:
        known = replace(known, mean=per_channel("mean", mean, known.value_range, {"std": std}))
    if std is not None:
        known = replace(known, std=per_channel("std", std, known.value_range, {"mean": mean}))
    said = [name for name, value in (("mean", mean), ("std", std)) if value is not None]
    known = replace(known, unstated=tuple(name for name in known.unstated if name not in said))
    for name, values in (("mean", known.mean), ("std", known.std)):
        if known.channels is not None and len(values) not in (1, known.channels):
            raise PellucidError(
                f"{name} has {len(values)} values and the network takes {known.channels} channels: "
                f"give {name}= with 1 or {known.channels} values"
            )
    return known


def _resized(known: Preprocess, size: tuple[int, int]) -> Preprocess:
    """The same way of cropping, with as much cut away in proportion, for another size of input."""
    before = known.size
    if isinstance(known.resize, tuple) and before:
        scale = (known.resize[0] / before[0], known.resize[1] / before[1])
        return replace(known, crop=size, resize=(round(size[0] * scale[0]), round(size[1] * scale[1])))
    margin = known.resize / max(before) if isinstance(known.resize, int) and before else 1.0
    return replace(known, crop=size, resize=max(round(max(size) * margin), max(size)))


def _pair(size: Any) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else size
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in pair)
    ):
        raise PellucidError(f"size={size!r}: a side or (height, width), whole numbers of pixels")
    return pair[0], pair[1]


def placed(net: Net, device: str) -> Net:
    """The network on a device: cpu, cuda, or auto, a GPU if there is one. Raises MissingDevice."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for the CPU only"
        raise MissingDevice(f"--device cuda: no CUDA device here (torch {torch.__version__} is {build})")
    return net if device == "cpu" else net.with_module(net.module.to(device))
