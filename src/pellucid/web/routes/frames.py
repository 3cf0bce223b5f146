"""Frames of a camera: one under way for each page, and only the newest waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from pellucid.errors import PellucidError
from pellucid.web.jobs import Busy
from pellucid.web.server import ID, Body, Server, Text
from pellucid.web.worker import Failed

_MOST_BYTES = 2 * 2**20
_CLIENTS = 32


class FrameQuery(Body):
    """What is wanted of a frame."""

    layer: Text
    client: ID
    unit: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    net: ID = "n0"
    back: Literal["off", "gradient", "guided", "deconvnet"] = "off"
    source: Text | None = None
    """The layer that the back-projection starts from, if it is not the one that is shown; `number` is its unit."""
    number: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    mosaic: Literal["forward", "backward"] = "forward"
    guesses: bool = True


class Turns:
    """Who is next, by client: whoever waits is replaced by whoever comes later."""

    def __init__(self) -> None:
        self.locks: dict[str, asyncio.Lock] = {}
        self.newest: dict[str, int] = {}
        self.count = 0

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for it. Failed where another frame came meanwhile; Busy where too many clients send frames."""
        if client not in self.locks and len(self.locks) >= _CLIENTS:
            raise Busy(f"{_CLIENTS} pages send frames already: close one")
        self.count += 1
        mine = self.newest[client] = self.count
        lock = self.locks.setdefault(client, asyncio.Lock())
        try:
            async with lock:
                if self.newest.get(client) != mine:
                    raise Failed("a newer frame took the place of this one", "Superseded")
                yield
        finally:
            if self.newest.get(client) == mine:  # nobody came after it
                self.locks.pop(client, None)
                self.newest.pop(client, None)


def routes(server: Server) -> APIRouter:
    """`/api/frame` and `/api/nets/…/stage`."""
    router, turns = APIRouter(), Turns()

    @router.get("/api/nets/{net}/stage")
    async def stage(net: ID) -> dict[str, Any]:
        """The layers worth looking at, in order, and the size of a frame."""
        return (await server.one("stage", {"net": net}))[0]

    @router.get("/api/indexes/{index}/preferred", response_class=Response)
    async def preferred(index: ID, layer: Text) -> Response:
        """For every unit of a layer the patch that excites it most, sixteen in a row, as a JPEG."""
        _, content = await server.one("preferred", {"index": index, "layer": layer})
        return Response(content, media_type="image/jpeg", headers={"cache-control": "no-store"})

    @router.post("/api/frame", response_class=Response)
    async def frame(request: Request, asked: Annotated[FrameQuery, Query()]) -> Response:
        """A frame as a JPEG of the size of the network's input: units, guesses, back-projection."""
        body = await request.body()
        if len(body) > _MOST_BYTES:
            raise PellucidError(f"a frame of {len(body):,} bytes: at most {_MOST_BYTES:,}")
        about = asked.model_dump(exclude={"client"}, exclude_none=True)
        async with turns.turn(asked.client):
            _, content = await server.one("frame", about, body)
        return Response(content, media_type="application/octet-stream", headers={"cache-control": "no-store"})

    return router
