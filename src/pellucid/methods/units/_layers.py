"""Which layers of an index are looked at, where nobody says."""

from __future__ import annotations

from pellucid.errors import Refused
from pellucid.sweep.index import Index


def stages(index: Index) -> tuple[str, ...]:
    """The outputs of the network's stages (layer4, blocks.6) and the last layer with places; where it has no stages,
    all with places. Raises Refused where there is none.
    """
    units = index.plan.units
    with_places = [name for name, places in zip(units.layers, units.places, strict=True) if places != (1, 1)]
    if not with_places:
        raise Refused("no layer of the index has places: make it with --layers that have")
    inside = [*units.layers, *units.aliases]
    found = [name for name in with_places if any(other.startswith(f"{name}.") for other in inside)]
    return tuple(dict.fromkeys([*found, with_places[-1]])) if found else tuple(with_places)
