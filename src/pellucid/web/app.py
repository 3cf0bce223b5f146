"""The HTTP side of the explorer: routes, errors in one line. It imports neither torch nor numpy: workers answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from pellucid import __version__
from pellucid.errors import PellucidError
from pellucid.web.jobs import Busy, Gone, kind_of
from pellucid.web.routes import ROUTES
from pellucid.web.server import Server
from pellucid.web.worker import Lost

STATIC = Path(__file__).with_name("static")
_STATUS = {
    "UnknownName": 404, "BadImage": 422, "Refused": 422, "Stopped": 409, "Superseded": 409, "OutOfMemory": 507,
    "Fault": 500,
}  # fmt: skip


def make(server: Server) -> FastAPI:
    """The app, whose workers begin and end with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await server.begin_worker()
        yield
        await server.close()

    app = FastAPI(title="Pellucid", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
                  openapi_url="/api/openapi.json")  # fmt: skip

    @app.exception_handler(PellucidError)
    async def _refused(_: Request, error: PellucidError) -> JSONResponse:
        return _said(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:])) or "the request"
        return JSONResponse({"error": f"{where}: {first['msg']}", "kind": "BadRequest"}, 422)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(
            {"error": str(error.detail), "kind": "BadRequest"}, error.status_code, headers=error.headers
        )

    @app.get("/api/state")
    async def state() -> dict[str, Any]:
        """What the server has opened, and what it is doing."""
        worker = server.worker
        about = {key: value for key, value in worker.about.items() if key != "methods"}
        return {"version": __version__, "state": worker.state, "lost": worker.lost, **about}

    @app.get("/api/methods")
    async def methods(request: Request) -> Response:
        """Every method: what it asks about, its options, and the seconds that it took here last."""
        rows = [{**one, "took": server.jobs.took.get(one["name"])} for one in await server.methods()]
        content = json.dumps(rows).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return Response(content, media_type="application/json", headers={"etag": tag, "cache-control": "no-cache"})

    for routes in ROUTES:
        app.include_router(routes(server))
    app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    return app


def _said(error: PellucidError) -> JSONResponse:
    """One line, and what kind of thing went wrong."""
    kind = kind_of(error)
    gone, busy = isinstance(error, Gone), isinstance(error, (Lost, Busy))
    status = 404 if gone else 503 if isinstance(error, Lost) else 429 if busy else _STATUS.get(kind, 422)
    return JSONResponse({"error": str(error), "kind": kind}, status, headers={"retry-after": "5"} if busy else {})
