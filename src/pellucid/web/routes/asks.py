"""Questions: a method with its options, or several methods about several classes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from pellucid.web.routes.streams import streamed
from pellucid.web.server import ID, Body, Given, Server, Text

Said = Text | list[Text] | dict[Literal["image", "index"], ID] | None


class QuestionBody(Body):
    """A method, what it is asked about by argument, and its options."""

    method: Text
    nouns: dict[Text, Said] = Field(default_factory=dict, max_length=8)
    options: dict[Text, Given] = Field(default_factory=dict, max_length=32)


class AskBody(QuestionBody):
    """A question that is to be answered."""

    long: bool | None = None
    """Whether it is long work; by default what is known of the method says it."""


class CompareBody(Body):
    """Several methods about several classes of a picture."""

    methods: Annotated[list[Text], Field(min_length=1, max_length=64)]
    image: ID
    net: ID = "n0"
    targets: Annotated[list[Text], Field(max_length=32, default_factory=list)]
    k: Annotated[int, Field(ge=1, le=32)] = 5


def routes(server: Server) -> APIRouter:
    """`/api/ask`, `/api/known` and `/api/compare`."""
    router = APIRouter()

    @router.post("/api/ask")
    async def ask(body: AskBody) -> StreamingResponse:
        """A method: the id of the work, its progress, then the key of the answer."""
        about = body.model_dump(exclude={"long"})
        return streamed(server.jobs, await server.begin("ask", about, body.long))

    @router.post("/api/known")
    async def known(body: QuestionBody) -> dict[str, Any]:
        """The key of the answer where it is kept from before, else null: nothing is computed."""
        return (await server.one("known", body.model_dump()))[0]

    @router.post("/api/compare")
    async def compare(body: CompareBody) -> StreamingResponse:
        """Several methods about several classes: the columns, then the key of each cell."""
        return streamed(server.jobs, await server.begin("compare", body.model_dump(), False))

    return router
