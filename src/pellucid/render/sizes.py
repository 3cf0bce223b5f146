"""Which sizes of pictures a network takes, and pictures brought to them."""

from __future__ import annotations

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import FailedOnInput
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.render.pixels import Size, precision, resized, scaled

_LEAST = 64  # pixels a side: in smaller pictures there is little to be seen


def native_size(net: Net) -> Size:
    """The size of a picture file that the network's preprocessing cuts, but does not resize."""
    asked, crop = net.preprocess.resize, net.preprocess.crop
    if isinstance(asked, tuple):
        return asked
    if asked is None:
        return crop or net.size
    high, wide = crop or (asked, asked)
    short = min(high, wide)
    return max(round(asked * high / short), high), max(round(asked * wide / short), wide)


def takes(net: Net, size: Size) -> bool:
    """Whether the network runs on inputs of that size. A failure that does not repeat is no answer: it is raised."""
    failure = _failure(net, size)
    if failure is not None and _failure(net, size) is None:
        raise failure
    return failure is None


def _failure(net: Net, size: Size) -> FailedOnInput | None:
    try:
        net.layers(size)
    except FailedOnInput as error:
        return error
    return None


def pyramid(net: Net, size: Size) -> tuple[Size, ...]:
    """Half the size, where that still shows something and the network takes it, then the size: coarse before fine."""
    half = (round(size[0] / 2), round(size[1] / 2))
    return (half, size) if min(half) >= _LEAST and takes(net, half) else (size,)


def whole(net: Net, images: Images, side: int) -> tuple[tuple[Float[Tensor, "1 c h w"], ...], tuple[Note, ...]]:
    """Pictures at their own proportions, the longer side so long; and what was decided.

    A network that takes inputs of one size alone is shown what it is always shown of a picture.
    """
    uncut = replace(net.preprocess, resize=None, crop=None)
    shown, notes = [], []
    for one in images:
        picture = uncut.prepare(Images.from_pictures(one.originals, one.ids)).pixels.to(precision(net))
        size = scaled(picture, side / max(picture.shape[-2:]))
        if net.preprocess.size is not None and not takes(net, size):
            picture = net.prepare(one).pixels.to(precision(net))
            said = f"{net.name} takes no input of {size[0]}×{size[1]}: it sees it as it classifies it"
            notes.append(Note("input", said, one.ids[0]))
            size = (picture.shape[-2], picture.shape[-1])
        shown.append(resized(picture, size))
    return tuple(shown), tuple(notes)
