"""Images with the part that is to be avoided, in memory."""

from __future__ import annotations

import torch

from pellucid.data import Data
from pellucid.errors import BadImage, PellucidError
from pellucid.evaluation.parts import Regions
from pellucid.learning.objective import Tensors
from pellucid.learning.reasons import Masked
from pellucid.net import Net
from pellucid.net.apart import inputs_of
from pellucid.notes import Note, say


def masked(net: Net, data: Data, masks: Regions) -> Masked:
    """All images of the data in memory with their masks; those without one have nothing to avoid. PellucidError where
    none has a mask."""
    data, pixels, labels, drawn, lost = data.on(net), [], [], [], []
    masks = masks.over(net, data, range(len(data)), data.labels)
    for i in range(len(data)):
        try:
            image, label = data.item(i)
            mask = masks.mask(net, image, i)
        except BadImage:
            lost.append(data.name(i))
            continue
        one = net.prepare(image).pixels
        pixels.append(one)
        labels.append(label)
        drawn.append(torch.zeros(one.shape[-2:]) if mask is None else torch.from_numpy(mask).float())
    if lost:
        say(Note("unreadable", f"{len(lost)} images were left out, such as {lost[0]}"))
    if not any(bool(one.any()) for one in drawn):
        raise PellucidError(f"masks={str(masks)!r}: no image of {data} has one, so there is nothing to avoid")
    inputs = inputs_of(net, torch.cat(pixels))
    inputs = inputs if inputs.dtype == torch.float64 else inputs.float()
    found = Tensors(inputs, torch.tensor(labels, device=inputs.device))
    return Masked(found, torch.stack(drawn)[:, None].to(inputs))
