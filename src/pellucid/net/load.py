"""From what a person calls a network to a Net."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from pellucid.ambient import neutral
from pellucid.errors import BadNetwork, PellucidError, UnknownName, unknown
from pellucid.net import Net
from pellucid.net.checkpoint import SUFFIXES, read_checkpoint
from pellucid.net.fit import fitted
from pellucid.net.guard import unready
from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import SOURCES, Found, bare, find

_WNID = re.compile(r"n\d{8}")


@neutral()
def load(
    spec: str | Path | nn.Module | Net,
    *,
    weights: str | Path | None = None,
    size: int | tuple[int, int] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    interpolation: str | None = None,
    labels: Labels | Sequence[str] | Mapping[Any, Any] | str | Path | None = None,
    output: str | None = None,
    channels: int | None = None,
) -> Net:
    """A network to study.

    `spec` is `bundled`, `timm:NAME`, `torchvision:NAME`, `package.module:function`, `path/to/file.py:function`,
    an nn.Module or a Net. `weights` is a checkpoint to put into (a copy of) it, or 'random'; without it, a named
    network comes with its trained weights. The rest says what the source does not know, or overrides it:
    `size` (side, or height and width, in pixels), `mean` and `std` per channel (for pixels in 0..1), `interpolation`
    (bilinear, bicubic, nearest), `labels` (names, or a file with a name per line or JSON), `output` (which
    tensor, where the network returns several: 'logits', '0'), `channels` (of the pictures that it takes).

    Checkpoints are never unpickled; `module:function` runs the user's code. The global random generators are
    left alone. Raises BadNetwork, UnknownName or MissingExtra in one line.
    """
    found = _found(spec, weights)
    if weights is not None and weights != "random":
        module = fitted(found.module, read_checkpoint(weights), file=str(weights), name=found.name)
        found = replace(found, module=module)
    for part in found.module.modules():
        if any(tensor is not None and is_lazy(tensor) for tensor in part._parameters.values()):
            raise unready(part)
    preprocess = _adjusted(found.preprocess, size, mean, std, interpolation, channels)
    names = found.labels if labels is None else _labels(labels)
    if output is not None and not isinstance(output, str):
        raise PellucidError(f"output={output!r}: a name or index as text, for example 'logits' or '0'")
    which = found.output if output is None else output
    if isinstance(spec, Net) and (found.module, preprocess, names, which) == (
        spec.module,
        spec.preprocess,
        spec.labels,
        spec.output,
    ):
        return spec
    return Net(found.module, found.name, preprocess, names, which)


def _found(spec: Any, weights: Any) -> Found:
    if weights is not None and not isinstance(weights, (str, Path)):
        raise BadNetwork(f"weights={type(weights).__name__}: None, 'random' or the path of a checkpoint")
    if isinstance(spec, (str, Path)):
        source, rest = _source(str(spec))
        if source == "function" and weights == "random":
            raise BadNetwork(f"{str(spec)!r} decides on its weights itself: leave out weights='random'")
        with _repeatable():
            found = find(source, rest, pretrained=weights is None)
        if source != "function":  # what the user's own code makes keeps its mode
            found.module.eval()
        return found
    if weights == "random":
        raise BadNetwork("weights='random' is for networks that have a name; this module has its weights already")
    if isinstance(spec, Net):
        return Found(spec.module, spec.name, spec.preprocess, spec.labels, spec.output)
    if isinstance(spec, nn.Module):
        module = _unwrapped(spec)
        return Found(module, type(module).__name__, bare(module))
    raise BadNetwork(
        f"a network is an nn.Module, a Net or a name ({', '.join(SOURCES.values())}), no {type(spec).__name__}"
    )


def _source(spec: str) -> tuple[str, str]:
    """Which source knows `spec`, and what it is to look for."""
    scheme, colon, rest = spec.partition(":")
    if scheme in SOURCES and scheme != "function":
        return scheme, rest
    if Path(spec).suffix.lower() in SUFFIXES:
        raise BadNetwork(
            f"{spec!r} holds weights, which are no architecture: load('timm:NAME', weights={spec!r}), "
            "or weights= with whatever names or makes the network"
        )
    if colon:
        return "function", spec
    if spec.endswith(".py"):
        raise UnknownName(f"no network {spec!r}: say which function in it makes the network, '{spec}:FUNCTION'")
    raise UnknownName(f"no network {spec!r}: a network is {', '.join(SOURCES.values())}; for example timm:resnet50")


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


def _adjusted(known: Preprocess, size: Any, mean: Any, std: Any, interpolation: Any, channels: Any) -> Preprocess:
    """`known` with what the user says instead. Raises PellucidError for what cannot be."""
    if channels is not None and not (isinstance(channels, int) and channels > 0):
        raise PellucidError(f"channels={channels!r}: a number of channels, such as 1 or 3")
    if size is not None:
        known = _resized(known, _pair(size))
    if interpolation is not None:
        ways = get_args(get_type_hints(Preprocess)["interpolation"])
        if interpolation not in ways:
            raise unknown("interpolation", str(interpolation), ways)
        known = replace(known, interpolation=interpolation)
    known = replace(known, channels=known.channels if channels is None else channels)
    if mean is not None:
        known = replace(known, mean=_per_channel("mean", mean))
    if std is not None:
        known = replace(known, std=_per_channel("std", std))
        if min(known.std) <= 0:
            raise PellucidError(f"std={std!r}: must be above 0")
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


def _per_channel(name: str, value: Any) -> tuple[float, ...]:
    try:
        values = tuple(float(one) for one in (value if isinstance(value, Sequence) else [value]))
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{name}={value!r}: a number, or one per channel") from error
    if not values or not all(map(math.isfinite, values)):
        raise PellucidError(f"{name}={value!r}: a number, or one per channel")
    if max(map(abs, values)) > 4:  # no pixel in 0..1 is so far out; 123.675 is
        raise PellucidError(f"{name}={value!r} looks like units of 0..255: pixels are in 0..1 here, divide by 255")
    return values


def _labels(value: Any) -> Labels:
    """The names of the classes from a list, a mapping (index to name, or name to index) or a file of either."""
    if isinstance(value, Labels):
        return value
    told = "labels"
    if isinstance(value, (str, Path)):
        told = f"labels in {str(value)!r}"
        value = _label_file(Path(value).expanduser())
    if isinstance(value, Mapping):
        value = _in_order(value, told)
    if not isinstance(value, (list, tuple)):
        raise PellucidError(f"{told}: a list of names or a mapping from index to name, no {type(value).__name__}")
    rows = [[row] if isinstance(row, str) else list(row) if isinstance(row, (list, tuple)) else [] for row in value]
    for i, row in enumerate(rows):
        if not row or not all(isinstance(name, str) and name.strip() for name in row):
            raise PellucidError(f"{told}: class {i} has no name ({value[i]!r})")
    if not rows:
        raise PellucidError(f"{told}: the list is empty")
    if all(len(row) > 1 and _WNID.fullmatch(row[0]) for row in rows):
        return Labels(tuple(tuple(row[1:]) for row in rows), tuple(row[0] for row in rows))
    return Labels(tuple(tuple(row) for row in rows))


def _label_file(path: Path) -> Any:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        siblings = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        raise unknown("file", str(path), map(str, siblings)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PellucidError(f"labels cannot be read from {str(path)!r}: {error}") from error
    if text.lstrip().startswith(("[", "{")) or path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise PellucidError(f"labels in {str(path)!r} are no JSON: {error}") from error
    return [line.strip() for line in text.rstrip().splitlines()]


def _in_order(table: Mapping[Any, Any], told: str) -> list[Any]:
    """{0: 'cat'}, {'0': 'cat'} or {'cat': 0} as a list."""
    if all(isinstance(value, int) for value in table.values()):
        table = {index: name for name, index in table.items()}
    try:
        numbered = {int(key): value for key, value in table.items()}
    except (TypeError, ValueError) as error:
        raise PellucidError(f"{told}: keys must be the numbers of the classes, or values must be") from error
    if sorted(numbered) != list(range(len(table))):
        raise PellucidError(f"{told}: the numbers must be 0 to {len(table) - 1}, each once")
    return [numbered[i] for i in range(len(table))]
