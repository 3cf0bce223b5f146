"""What stands in for an image where nothing is to be seen: a fill, or images of one's own."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.images.perturb import Fill, filled
from pellucid.net import Net


def baseline_of(net: Net, prepared: Images, filling: Fill | Images, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """What stands in for one image (1, C, H, W) in `seen`: its fill, or the given images as the network sees them."""
    pixels = prepared.pixels
    if not isinstance(filling, Images):
        return filled(pixels, filling, which=(seed, prepared.ids[0]))
    given = net.prepare(filling).pixels
    if given.shape[1:] != pixels.shape[1:]:
        wanted, got = ("×".join(map(str, shape[1:])) for shape in (pixels.shape, given.shape))
        raise PellucidError(f"{filling.ids[0]!r} is {got} for this network, the image it should stand for {wanted}")
    return given.to(pixels)
