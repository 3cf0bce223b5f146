"""A question as lines for Python and for a command line."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pellucid.web.routes.asks import AskBody
from pellucid.web.server import Server


def routes(server: Server) -> APIRouter:
    """`/api/lines`."""
    router = APIRouter()

    @router.post("/api/lines")
    async def lines(body: AskBody) -> dict[str, Any]:
        """The lines that ask a method again."""
        return (await server.one("lines", body.model_dump(exclude={"long"})))[0]

    return router
