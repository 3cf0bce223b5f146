"""Who may ask the server: whoever has the link, under the names that were allowed, from its own page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pellucid.web.guard import MOST_BYTES, Guard
from tests.web.loop import run

TOKEN = "T" * 43
GOOD = {"host": "localhost:7811", "x-pellucid": "1"}


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """An app that reads all that is sent and says which path it was asked for."""
    while (await receive()).get("more_body"):
        pass
    body = json.dumps([scope["root_path"], scope["path"]]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def asked(path: str, method: str = "GET", headers: dict[str, str] = GOOD, sent: tuple[bytes, ...] = (b"",),
          token: str = TOKEN, hosts: Any = ("localhost", "127.0.0.1")) -> tuple[int, dict[str, str], Any]:  # fmt: skip
    parts, said = list(sent), list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(event: Any) -> None:
        said.append(event)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": raw}
    run(Guard(inner, token, hosts)(scope, receive, send))
    body = b"".join(one.get("body", b"") for one in said[1:])
    own = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], own, json.loads(body) if body else None


def test_the_token_is_a_part_of_the_path_and_taken_out_of_it() -> None:
    assert asked(f"/k/{TOKEN}/api/state")[::2] == (200, [f"/k/{TOKEN}", "/api/state"])
    status, headers, _ = asked(f"/k/{TOKEN}")
    assert (status, headers["location"]) == (307, f"{TOKEN}/"), "relative: a proxy may stand before it"
    assert asked("/api/state", token="")[::2] == (200, ["", "/api/state"])


@pytest.mark.parametrize(
    "path", ["/", "/k/", "/k/x/api/state", f"/k/{TOKEN[:-1]}/", f"/K/{TOKEN}/", f"/{TOKEN}/", f"/k/{TOKEN}x/"]
)
def test_without_the_token_there_is_nothing(path: str) -> None:
    status, _, said = asked(path)
    assert status == 404
    assert "token" in said["error"]
    assert TOKEN not in said["error"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:7811", "", "127.0.0.1.nip.io", "[::1]:80"])
def test_another_name_of_the_server_is_refused_and_the_way_named(host: str) -> None:
    status, _, said = asked(f"/k/{TOKEN}/", headers={**GOOD, "host": host})
    assert status == 400
    assert "--allow-host" in said["error"]
    assert asked(f"/k/{TOKEN}/", headers={**GOOD, "host": host}, hosts=None)[0] == 200


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 403), ({"x-pellucid": "1"}, 200), ({"x-pellucid": "1", "sec-fetch-site": "same-origin"}, 200),
    ({"x-pellucid": "1", "sec-fetch-site": "cross-site"}, 403),
    ({"x-pellucid": "1", "sec-fetch-site": "same-site"}, 403),
    ({"x-pellucid": "1", "origin": "http://evil.example"}, 403), ({"x-pellucid": "1", "origin": "null"}, 403),
    ({"x-pellucid": "1", "origin": "http://localhost:7811"}, 200),
    ({"x-pellucid": "1", "origin": "https://hub.example", "x-forwarded-host": "hub.example"}, 200),
])  # fmt: skip
def test_only_its_own_page_changes_anything(headers: dict[str, str], status: int) -> None:
    assert asked(f"/k/{TOKEN}/api/ask", "POST", {"host": "localhost:7811", **headers})[0] == status


def test_too_much_is_refused_before_it_is_read_and_while_it_is() -> None:
    assert asked(f"/k/{TOKEN}/api/images", "POST", {**GOOD, "content-length": str(MOST_BYTES + 1)})[0] == 413
    assert asked(f"/k/{TOKEN}/api/images", "POST", {**GOOD, "content-length": "x"})[0] == 400
    parts = (b"0" * (MOST_BYTES // 2 + 1),) * 2
    assert asked(f"/k/{TOKEN}/api/images", "POST", {**GOOD, "content-length": "5"}, parts)[0] == 413
    assert asked(f"/k/{TOKEN}/api/images", "POST", GOOD, (b"0" * 100,))[0] == 200


def test_every_answer_forbids_what_no_page_of_ours_does() -> None:
    for path in (f"/k/{TOKEN}/", "/"):
        policy = asked(path)[1]["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert asked(path)[1]["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in asked("/", token="")[1]["content-security-policy"]
