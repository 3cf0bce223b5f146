"""`pellucid layers`: what the network is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pellucid.cli.common import common
from pellucid.cli.page import Command
from pellucid.cli.session import Session, running
from pellucid.cli.tables import plain, table, terminal
from pellucid.faces import LAYERS

if TYPE_CHECKING:
    from pellucid.net import Layer, Layers


def command() -> click.Command:
    """The command."""
    return Command(
        "layers", running(_layers), purpose="List the layers of a network, their sizes and receptive fields",
        params=common(),
        examples=("pellucid layers", "pellucid layers --net torchvision:resnet18 --weights random --input-size 160"),
        details="The layers stand in order of execution, for one size of input: shape of the output, receptive field "
        "in pixels, jump (pixels from one cell to the next) and start (the pixel on which the first cell is centered). "
        f"In a pipe there is a line for each layer, with tabs between {', '.join(LAYERS)}.",
    )  # fmt: skip


def _layers(session: Session) -> None:
    net = session.net
    size = session.given["input_size"]
    with session.watch.busy("following one pass through the network"):
        found = net.layers((size, size) if isinstance(size, int) else size)
    if found.unplaced:
        session.watch.note(f"receptive fields end at operations that are not known: {', '.join(found.unplaced)}")
    gated = [row.name for row in found.rows if row.placement is not None and row.placement.gated]
    if gated:
        rest = f" and {len(gated) - 1} more" * (len(gated) > 1)
        session.watch.note(
            f"through a gate every pixel of the image reaches every cell of {gated[0]}{rest}; `local` of --json says "
            "what they look at without it"
        )
    document = {**net.facts(), "size": list(found.size), "layers": [_facts(row) for row in found.rows]}
    session.tell(document, lambda: _lines(found))


def _facts(row: Layer) -> dict[str, Any]:
    place = row.placement
    return {
        "name": row.name,
        "kind": row.kind,
        "shape": row.shape,
        "kernel": row.kernel or None,
        "stride": row.stride or None,
        "field": place.field if place else None,
        "local": place.patch if place else None,
        "jump": place.jump if place else None,
        "start": place.start if place else None,
        "parameters": row.parameters,
    }


def _lines(found: Layers) -> None:
    rows = [row.told for row in found.rows]
    if terminal():
        table((("layer", "keep"), ("kind", "clip"), ("shape", "keep"), *((name, "right") for name in LAYERS[3:])), rows)
    else:
        plain((*row[:-1], row[-1].replace(" ", "")) for row in rows)
