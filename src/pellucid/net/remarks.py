"""What every result about a network says of it: what nobody stated, and what is far from the inputs it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from pellucid.images import Images
from pellucid.net import apart, sizes
from pellucid.net.preprocess import Preprocess
from pellucid.notes import Note

if TYPE_CHECKING:
    from pellucid.net import Net

_FAR = 5.0
"""Standard deviations: a fill beyond these is nothing that the network has seen."""
_FILLS = {"gray": (0.5,), "black": (0.0,), "white": (1.0,), "noise": (0.0, 0.25, 0.5, 0.75, 1.0)}
"""What a fill shows wherever it is, in pixel values; of noise some of it. Others are made of the image itself."""
_OPTIONS = ("fill", "baseline", "references")
"""What methods call the images that stand for nothing."""


def notes(net: Net) -> tuple[Note, ...]:
    """Warnings about a network: what had to be guessed, what makes it unreliable."""
    meaning = Note.many("scores", [net.meaning.note] if net.meaning.note else [])
    texts = (*unstated(net.preprocess), *sizes.notes(net), *apart.notes(net.module))
    return (*Note.many("network", net.said), *meaning, *Note.many("network", texts))


def unstated(preprocess: Preprocess) -> tuple[str, ...]:
    """That pixels go in as they are, since nobody said with which mean and deviation the network was trained."""
    names = preprocess.unstated
    if not names:
        return ()
    low, high = preprocess.value_range or (0, 1)  # they are said in these units
    usual = {"mean": f"mean={low:g}", "std": f"std={high - low:g}"}
    how = "as they are" if len(names) > 1 else "without it"
    return (
        f"no {' and '.join(names)} given: pixels in 0..1 go in {how}; say "
        f"what it was trained with, load(..., {', '.join(f'{name}=…' for name in names)}), or, if that is right, "
        f"load(..., {', '.join(usual[name] for name in names)})",
    )


def far(preprocess: Preprocess, options: Mapping[str, Any], *, advise: bool = True) -> tuple[str, ...]:
    """What to say of each option whose fill or baseline lies far from the inputs that the network was normalized for;
    with `advise` also what lies near.
    """
    notes = []
    for name in _OPTIONS:
        said = options.get(name)
        if isinstance(said, Images):
            values = preprocess.prepare(said).pictures[0].mean(dim=(1, 2)).tolist()
            shown = f"{name}, {said.ids[0]},"
        elif isinstance(said, str) and said in _FILLS:
            values, shown = list(_FILLS[said]), f"{name}={said!r}{f' ({_FILLS[said][0]:g})' if said != 'noise' else ''}"
        else:
            continue
        distance = _distance(preprocess, torch.tensor(values), by_channel=isinstance(said, Images))
        if distance > _FAR:
            way = "" if name == "references" or not advise else f"; {name}='mean' or {name}='blur' is near"
            notes.append(f"{shown} lies {distance:.0f} standard deviations from this network's inputs{way}")
    return tuple(notes)


def _distance(preprocess: Preprocess, values: torch.Tensor, *, by_channel: bool) -> float:
    """Of the channel that is furthest away, the mean over the values."""
    mean, std = torch.tensor(preprocess.mean), torch.tensor(preprocess.std)
    if by_channel:
        return float(((values - mean) / std).abs().max())
    return float(((values[:, None] - mean) / std).abs().mean(0).max())
