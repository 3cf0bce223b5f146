"""Who may ask: the token in the path, the host that is asked, the page that asks, how much it sends; and what every
answer forbids the browser. Pure ASGI, so that nothing stands between a stream and its reader.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 20 * 2**20
"""Of what is sent with a request: a photo."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
MARK = "x-pellucid"
"""A header that a foreign page cannot send without asking first, which nobody answers."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "worker-src 'self' blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; object-src 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Around an app whose routes begin after `/k/TOKEN`."""

    def __init__(self, app: App, token: str, hosts: Iterable[str] | None = LOOPBACK) -> None:
        """Without a token the routes begin at the root. `hosts` are the names under which the server may be asked;
        None: any, where the token alone decides.
        """
        self.app, self.token = app, token
        self.hosts = None if hosts is None else frozenset(one.lower() for one in hosts)
        framed = "" if token else "; frame-ancestors 'self'"  # with a token a foreign page knows no address to frame
        self.headers = [
            (name.encode(), value.encode())
            for name, value in {**_HEADERS, "content-security-policy": _POLICY + framed}.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # nothing here speaks that way
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.headers)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._host(headers) or self._path(scope) or _page(scope["method"], headers) or _size(headers)
        if refused:
            await answer.say(*refused)
            return
        counted = _Counted(receive)
        try:
            await self.app(scope, counted, answer)
        except _TooLong:
            if not answer.begun:
                await answer.say(413, _LONG)

    def _host(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        name = headers.get("host", "").lower()
        bare = name.rpartition(":")[0] if name.rpartition(":")[2].isdecimal() else name
        if self.hosts is None or bare in self.hosts:
            return None
        return 400, f"this server is not asked as {bare[:80]!r}: start it with --allow-host {bare[:80]} to allow that"

    def _path(self, scope: Scope) -> tuple[int, str] | tuple[int, str, str] | None:
        """What speaks against the path; where nothing does, the token is taken out of it."""
        if not self.token:
            return None
        path = str(scope["path"])
        key, slash, rest = path.removeprefix("/k/").partition("/")
        if not path.startswith("/k/") or not hmac.compare_digest(key.encode(), self.token.encode()):
            return 404, "the address of this page ends in /k/ and a token: the server printed it when it began"
        if not slash:
            return 307, "", f"{self.token}/"
        scope["root_path"] = f"{scope.get('root_path', '')}/k/{self.token}"
        scope["path"] = f"/{rest}"
        scope["raw_path"] = scope["path"].encode()
        return None


def _page(method: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Whether whoever changes something is the page that this server gave out."""
    if method in ("GET", "HEAD"):
        return None
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return 403, "this was asked by another page"
    if site is None and (origin := headers.get("origin")) is not None:
        own = {headers.get("host"), headers.get("x-forwarded-host")}
        if (origin.partition("://")[2] or None) not in own - {None}:
            return 403, "this was asked by another page"
    return None if headers.get(MARK) == "1" else (403, f"a request that changes something has the header {MARK}: 1")


def _size(headers: Mapping[str, str]) -> tuple[int, str] | None:
    said = headers.get("content-length", "0")
    if not said.isdecimal():
        return 400, "the length of the request is no number"
    return (413, _LONG) if int(said) > MOST_BYTES else None


_LONG = f"too much at once: at most {MOST_BYTES // 2**20} MB"


class _TooLong(BaseException):
    """No Exception, because a framework that catches these would answer that something failed inside."""


class _Counted:
    """What is received, up to the most: its length may have been said wrongly, or not at all."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.taken = receive, 0

    async def __call__(self) -> Event:
        event = await self.receive()
        self.taken += len(event.get("body", b""))
        if self.taken > MOST_BYTES:
            raise _TooLong
        return event


class _Answer:
    """What is sent, with the headers of every answer."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self.send, self.headers, self.begun = send, headers, False

    async def __call__(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.begun = True
            event = {**event, "headers": [*event.get("headers", ()), *self.headers]}
        await self.send(event)

    async def say(self, status: int, error: str, location: str = "") -> None:
        """A line, and nothing else."""
        body = json.dumps({"error": error}).encode() if error else b""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if location:
            headers.append((b"location", location.encode()))
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})
