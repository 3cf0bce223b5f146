"""What layers make of images, and what their units are ranked by: the same, but where an activation has a ceiling.

Behind it many places are equal; what it receives tells them apart, as in the index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from pellucid.images import Images
from pellucid.index.index import Index

Seen = Callable[[int, Tensor], None]


def received(index: Index, images: Images, layers: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """Layer -> (its activations on one image, what they are ranked by), (channels, rows, columns) on the CPU."""
    net = index.net
    clips = {layer: clip for layer in layers if (clip := index[layer].clip) is not None}
    if not clips:
        run = net.run(images, layers=layers, stop=True)
        maps = {layer: run.at[layer][0].detach().float().cpu() for layer in layers}
        return {layer: (map_, map_) for layer, map_ in maps.items()}
    after: dict[str, Tensor] = {}
    before: dict[str, Tensor] = {}

    def into(kept: dict[str, Tensor], layer: str) -> Seen:
        return lambda _, shown: kept.update({layer: shown[0].detach().float().cpu().clone()})

    net.observe(
        images.pixels,
        {layer: into(after, layer) for layer in layers},
        before={layer: (clip.call, into(before, layer)) for layer, clip in clips.items()},
    )
    return {layer: (after[layer], before.get(layer, after[layer]).reshape(after[layer].shape)) for layer in layers}
