"""A page to take away, as one file."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from pellucid.export import exported
from pellucid.web.server import Body, Server, Text


class Record(Body):
    """What was answered to one question of the page."""

    json_: Annotated[Any, Field(alias="json")] = None
    bytes_: Annotated[str | None, Field(alias="bytes", pattern=r"^[A-Za-z0-9+/=]*$")] = None
    type: Annotated[str, Field(max_length=80, pattern=r"^[\w.+/-]*$")] = ""
    lines: list[dict[str, Any]] | None = None


class ExportBody(Body):
    """A page with the answers that it shows."""

    title: Text
    hash: Annotated[str, Field(max_length=4000, pattern=r"^#/")]
    records: dict[Annotated[str, Field(max_length=20_000)], Record] = Field(max_length=2000)


def routes(server: Server) -> APIRouter:
    """`/api/export`."""
    router = APIRouter()

    @router.post("/api/export", response_class=Response)
    async def export(body: ExportBody) -> Response:
        """One HTML file that works from disk and asks nobody."""
        records = {key: one.model_dump(by_alias=True, exclude_unset=True) for key, one in body.records.items()}
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", body.title).strip("-")[:60] or "page"
        return Response(
            exported(body.title, body.hash, records), media_type="text/html",
            headers={"content-disposition": f'attachment; filename="{name}.html"'},
        )  # fmt: skip

    return router
