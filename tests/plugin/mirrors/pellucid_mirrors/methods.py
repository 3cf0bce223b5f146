"""A method."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.target import Target, fixed, scored
from pellucid_mirrors.results import Flips


@method(
    "Mirrored",
    purpose="change of the score when the image is mirrored",
    source="Nobody 2026, section 1",
    chapter="mirrors",
    quick={"times": 1},
)
def mirrored(
    net: Net,
    images: Images,
    target: Target,
    *,
    times: Annotated[int, Field(ge=1, description="factor of the change")] = 1,
) -> Flips:
    """By how much the score changes if the image is mirrored: (N, 2), left to right and upside down."""
    found = []
    for one in net.prepare(images):
        plain = net.run(one, layers=target.layers)
        asked = fixed(target, plain)
        changed = [scored(asked, net.run(one.pixels.flip(axis), layers=target.layers)) for axis in (3, 2)]
        found.append((torch.cat(changed) - scored(asked, plain)).detach().cpu() * times)
    return Flips(torch.stack(found).double().numpy(), target.unit_of(net))
