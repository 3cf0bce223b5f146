"""A question as a stream of lines of JSON, as it is followed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from pellucid.web.jobs import Job, Jobs


def streamed(jobs: Jobs, job: Job, after: int = 0) -> StreamingResponse:
    """Its lines after number `after`, and those to come. The type keeps proxies from collecting them to the end."""

    async def lines() -> AsyncIterator[bytes]:
        async for line in jobs.follow(job, after):
            yield json.dumps(line, allow_nan=False).encode() + b"\n"

    return StreamingResponse(lines(), media_type="text/event-stream",
                             headers={"cache-control": "no-store", "x-accel-buffering": "no"})  # fmt: skip
