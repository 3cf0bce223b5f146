"""Pictures: sent, looked at, and what the network says of them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request, Response

from pellucid.web.server import ID, Server


def routes(server: Server) -> APIRouter:
    """`/api/images` and `/api/nets/…/predict`."""
    router = APIRouter()

    @router.get("/api/nets/{net}/predict/{image}")
    async def predict(net: ID, image: ID, k: Annotated[int, Query(ge=1, le=100)] = 5) -> dict[str, Any]:
        """The best guesses for a picture."""
        return (await server.one("predict", {"net": net, "image": image, "k": k}))[0]

    @router.post("/api/images")
    async def upload(request: Request, x_name: Annotated[str, Header(max_length=4000)] = "picture") -> dict[str, Any]:
        """A picture as raw bytes; its id."""
        said, _ = await server.one("upload", {"name": _plain(x_name)}, await request.body())
        return {"id": said.pop("image"), **said}

    @router.get("/api/images/{image}", response_class=Response)
    async def picture(image: ID, side: Annotated[int, Query(ge=16, le=1600)] = 1600) -> Response:
        """A picture as a JPEG whose longer side has so many pixels at most."""
        _, content = await server.one("picture", {"image": image, "side": side})
        return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})

    return router


def _plain(name: str) -> str:
    """The name of a file as a page sends it, percent-encoded; its folder is nobody's business."""
    return unquote(name).replace("\\", "/").rpartition("/")[2][:200] or "picture"
