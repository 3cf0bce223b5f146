"""Layers: the table, the maps of their units on a picture, and how one number is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from pellucid.web.server import ID, Server, Text

_BYTES = {"media_type": "application/octet-stream", "headers": {"cache-control": "no-store"}}
Count = Annotated[int, Query(ge=0, le=2**31)]


def routes(server: Server) -> APIRouter:
    """`/api/nets/…/layers` and `/api/nets/…/cell`."""
    router = APIRouter()

    @router.get("/api/nets/{net}/layers")
    async def layers(net: ID, image: ID | None = None) -> dict[str, Any]:
        """All layers in order of execution, for the size of that picture; without one for the network's own."""
        return (await server.one("layers", {"net": net, "image": image}))[0]

    @router.get("/api/nets/{net}/layers/{layer:path}/maps", response_class=Response)
    async def maps(
        net: ID, layer: Annotated[Text, Path()], image: ID, start: Count = 0, unit: Count | None = None,
        count: Annotated[int, Query(ge=1, le=256)] = 256, sort: Literal["number", "max", "mean", "silent"] = "number",
    ) -> Response:  # fmt: skip
        """The maps of a page of its units on a picture, the one with `unit` if given; three numbers of every unit."""
        where = {"start": start, "unit": unit, "count": count, "sort": sort}
        about = {"net": net, "layer": layer, "image": image, **where}
        return Response((await server.one("layer_maps", about))[1], **_BYTES)  # type: ignore[arg-type]

    @router.get("/api/nets/{net}/cell", response_class=Response)
    async def cell(net: ID, image: ID, layer: Text, unit: Count, row: Count = 0, column: Count = 0) -> Response:
        """How one number of a layer is made."""
        about = {"net": net, "layer": layer, "image": image, "unit": unit, "row": row, "column": column}
        return Response((await server.one("cell", about))[1], **_BYTES)  # type: ignore[arg-type]

    return router
