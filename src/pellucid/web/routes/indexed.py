"""Indexes: their units, their images, their maps, and sets of chosen images."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, Field

from pellucid.errors import PellucidError
from pellucid.web.server import ID, KEY, Body, Server, Text

COLUMN = Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+$")]
CONDITION = Annotated[
    str, Field(max_length=80, pattern=r"^[a-z_]+,(<|<=|>|>=|=),-?\d{1,12}(\.\d{1,12})?(e-?\d{1,2})?$")
]
"""COLUMN,OPERATION,NUMBER."""
LAYER = Annotated[str, Path(max_length=200)]
NUMBER = Annotated[int, Path(ge=0, lt=2**31)]
Image = Annotated[int, Field(ge=0, lt=2**31)]
_PART = Literal["numbers", "histogram", "top", "weakest", "classes", "feature", "like", "spread"]
_SLOW = ("feature", "like", "spread")
_MOST, _SET = 400, 200_000
"""Small pictures in a sprite, and images in a set."""


class MapBody(Body):
    """Which layer is laid out how; or the key of a layout that was asked for as a method."""

    layer: Text | None = None
    layout: Literal["pca", "ica"] = "pca"
    key: KEY | None = None


class ThumbsBody(Body):
    """Images of which small pictures are wanted."""

    ids: Annotated[list[Image], Field(min_length=1, max_length=_MOST)]
    side: Annotated[int, Field(ge=16, le=128)] = 64


class SetBody(Body):
    """Images that were chosen."""

    ids: Annotated[list[Image], Field(min_length=1, max_length=_SET)]


def _seen(text: str) -> str:
    """A text all of which is seen: no line ends, and nothing that turns it around."""
    if not text.isprintable():
        raise ValueError("a name is one line of letters and signs that can be seen")
    return text


class NameBody(Body):
    """What a set is called; an empty text takes its name away."""

    name: Annotated[str, Field(max_length=60), AfterValidator(_seen)]


def routes(server: Server) -> APIRouter:
    """`/api/indexes/…`."""
    router = APIRouter(prefix="/api/indexes/{index}")
    _units(router, server)
    _images(router, server)
    return router


def _units(router: APIRouter, server: Server) -> None:
    @router.get("")
    async def opened(index: ID) -> dict[str, Any]:
        """What an index holds."""
        return (await server.one("index", {"index": index}))[0]

    @router.get("/units")
    async def units(
        index: ID, layer: Text, sort: COLUMN = "channel", descending: bool = False,
        where: Annotated[list[CONDITION] | None, Query(max_length=8)] = None,
        start: Annotated[int, Query(ge=0, lt=2**31)] = 0, count: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:  # fmt: skip
        """The units of a layer, as columns."""
        about = {"index": index, "layer": layer, "sort": sort, "descending": descending, "start": start,
                 "count": count, "where": [one.split(",") for one in where or ()]}  # fmt: skip
        return (await server.one("units", about))[0]

    @router.get("/units/{layer:path}/{channel}/projections", response_class=Response)
    async def projections(index: ID, layer: LAYER, channel: NUMBER) -> Response:
        """What in the strongest patches excites a unit, as numbers."""
        about = {"index": index, "layer": layer, "channel": channel}
        return _bytes((await server.one("projections", about))[1])

    @router.get("/units/{layer:path}/{channel}/{part}")
    async def unit(index: ID, layer: LAYER, channel: NUMBER, part: _PART) -> dict[str, Any]:
        """A part of what is known of a unit."""
        do = "unit_slow" if part in _SLOW else "unit"
        return (await server.one(do, {"index": index, "layer": layer, "channel": channel, "part": part}))[0]


def _images(router: APIRouter, server: Server) -> None:
    @router.get("/pictures/{image}", response_class=Response)
    async def picture(
        index: ID, image: NUMBER, side: Annotated[int, Query(ge=16, le=1600)] = 320,
        box: Annotated[str | None, Query(max_length=120, pattern=r"^-?\d+(\.\d+)?(,-?\d+(\.\d+)?){3}$")] = None,
        of: Annotated[str, Query(max_length=16)] = "",
    ) -> Response:  # fmt: skip
        """An image as the network saw it, or what of it lies in a box (top,left,bottom,right). `of` is part of the
        address alone, so that no browser takes the images of one index for those of another.
        """
        edges = [float(edge) for edge in box.split(",")] if box else None
        if edges is not None and any(abs(edge) > 1e6 for edge in edges):
            raise PellucidError("this box lies outside the image")
        said, content = await server.one("indexed_picture", {"index": index, "image": image, "side": side,
                                                             "box": edges})  # fmt: skip
        how = {"cache-control": "private, max-age=86400" if of else "no-store"}
        return Response(content, media_type=said["type"], headers=how)

    @router.post("/map", response_class=Response)
    async def mapped(index: ID, body: MapBody) -> Response:
        """Where the images lie."""
        return _bytes((await server.one("map", {"index": index, **body.model_dump()}))[1])

    @router.get("/colors/prediction", response_class=Response)
    async def prediction(index: ID) -> Response:
        """The network's prediction for every image, and its class."""
        return _bytes((await server.one("colored", {"index": index, "by": "prediction"}))[1])

    @router.get("/colors/{layer:path}/{channel}", response_class=Response)
    async def activation(index: ID, layer: LAYER, channel: NUMBER) -> Response:
        """The largest activation of a unit on every image."""
        about = {"index": index, "by": "unit", "layer": layer, "channel": channel}
        return _bytes((await server.one("colored", about))[1])

    @router.post("/thumbs", response_class=Response)
    async def thumbs(index: ID, body: ThumbsBody) -> Response:
        """Small pictures side by side, twenty in a row."""
        _, content = await server.one("thumbs", {"index": index, **body.model_dump()})
        return Response(content, media_type="image/jpeg", headers={"cache-control": "no-store"})

    @router.post("/sets")
    async def chosen(index: ID, body: SetBody) -> dict[str, Any]:
        """Keep a set of images: its id, its classes, its first images."""
        return (await server.one("set", {"index": index, **body.model_dump()}))[0]

    @router.get("/sets")
    async def named_sets(index: ID) -> dict[str, Any]:
        """The sets that have names."""
        return (await server.one("sets", {"index": index}))[0]

    @router.post("/sets/{name}/name")
    async def named(index: ID, name: ID, body: NameBody) -> dict[str, Any]:
        """Name a set; an empty name takes it away."""
        return (await server.one("set_named", {"index": index, "set": name, "name": body.name}))[0]

    @router.get("/sets/{name}/mean")
    async def mean(index: ID, name: ID) -> dict[str, Any]:
        """The mean of the small pictures of a set, and of how many it is."""
        return (await server.one("set_mean", {"index": index, "set": name}))[0]

    @router.get("/sets/{name}")
    async def before(index: ID, name: ID) -> dict[str, Any]:
        """A set that was kept."""
        return (await server.one("set_before", {"index": index, "set": name}))[0]


def _bytes(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers={"cache-control": "no-store"})
