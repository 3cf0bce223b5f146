"""Work under way: listed, followed, stopped, gone on with, forgotten."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from pellucid.web.jobs import Gone
from pellucid.web.routes.streams import streamed
from pellucid.web.server import ID, Server


def routes(server: Server) -> APIRouter:
    """`/api/jobs`."""
    router = APIRouter()

    @router.get("/api/jobs")
    async def jobs() -> list[dict[str, Any]]:
        """Long work, the latest first."""
        return server.jobs.listed()

    @router.get("/api/jobs/{job}/events")
    async def events(job: ID, after: Annotated[int, Query(ge=0)] = 0) -> StreamingResponse:
        """What has happened since a line, and what happens."""
        return streamed(server.jobs, server.jobs.find(job), after)

    @router.post("/api/jobs/{job}/stop")
    async def stop(job: ID) -> dict[str, Any]:
        """End the work."""
        found = server.jobs.find(job)
        server.jobs.stop(found)
        return found.record()

    @router.post("/api/jobs/{job}/resume")
    async def resume(job: ID) -> dict[str, Any]:
        """Go on with what was stopped, or interrupted."""
        await server.awake()
        return server.jobs.resume(server.jobs.find(job)).record()

    @router.delete("/api/jobs/{job}")
    async def drop(job: ID) -> dict[str, Any]:
        """Forget it."""
        found = server.jobs.find(job)
        server.forget(found)
        return found.record()

    @router.get("/api/jobs/{job}/preview", response_class=Response)
    async def preview(job: ID) -> Response:
        """How far a picture has come."""
        found = server.jobs.find(job).preview
        if not found:
            raise Gone("there is no preview of this")
        return Response(found, media_type="image/jpeg", headers={"cache-control": "no-store"})

    return router
