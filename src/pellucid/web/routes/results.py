"""What came of questions: numbers for a page, and files to take away."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from pellucid.web.server import KEY, Server

_KINDS = {"png": "image/png", "svg": "image/svg+xml", "npz": "application/zip", "json": "application/json"}


def routes(server: Server) -> APIRouter:
    """`/api/results`."""
    router = APIRouter()

    @router.get("/api/results/{key}", response_class=Response)
    async def result(
        key: KEY, to: Annotated[Literal["png", "svg", "npz", "json"] | None, Query(alias="as")] = None,
        dark: bool = False,
    ) -> Response:  # fmt: skip
        """An answer: its numbers for a page, or as a file to take away."""
        if to is not None:
            said, content = await server.one("drawn", {"key": key, "as": to, "dark": dark})
            name = {"content-disposition": f'attachment; filename="{said["name"]}.{to}"'}
            return Response(content, media_type=_KINDS[to], headers={"cache-control": "no-store", **name})
        content = server.kept.get(key) or (await server.one("stored", {"key": key}))[1]
        server.kept.keep(key, content)
        return Response(content, media_type="application/octet-stream",
                        headers={"cache-control": "private, max-age=31536000, immutable"})  # fmt: skip

    return router
