"""Somebody who means harm: what was tried against the server, and that nothing came of it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.web import hostile
from tests.web.served import JSON, MARK, Served

pytestmark = pytest.mark.slow  # a server with all walls, and hundreds of texts
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture
def door() -> Iterator[tuple[int, list[Any]]]:
    """(a port of this machine, whoever has connected to it)."""
    met: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        ended = threading.Event()

        def wait() -> None:
            while not ended.is_set():
                try:
                    guest, where = listening.accept()
                except TimeoutError:
                    continue
                met.append(where)
                guest.close()

        thread = threading.Thread(target=wait)
        thread.start()
        yield listening.getsockname()[1], met
        ended.set()
        thread.join()


def sound(server: Served) -> None:
    """It still answers, with the same process, and nothing has failed inside."""
    state = server.get("api/state").json()
    assert (state["state"], state["lost"]) == ("ready", 0)
    failures = server.failures()
    assert not failures, failures


@pytest.mark.parametrize("path", [
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "..%c0%af", "..\\", "..%5c", "//", "/.//", "....//",
    "%00/", "./../",
])  # fmt: skip
@pytest.mark.parametrize("after", ["", "assets/", "api/images/", "api/results/", "api/nets/n0/layers/"])
def test_no_path_leads_out_of_the_page(path: str, after: str, server: Served) -> None:
    for target in ("etc/passwd", "app.py", "web/app.py"):
        answer = server.get(f"{after}{path * 8}{target}")
        assert answer.status in (400, 404, 405, 422), answer.body[:200]
        assert b"root:" not in answer.body
        assert b"import " not in answer.body


@pytest.mark.parametrize("name", [
    "/etc/passwd", "../x", "s-../x", "x-../../../state/pellucid/token", "x-.", "x-", "s-", "p-", "f-", "i-i0-0",
    "i-..-0", "..", ".", "s-panda/../..", "s-panda\0", "s-panda.json", "x-0123456789abcdef.json", "\u202e", "a" * 81,
    "x-" + "٣" * 16, "-", "~", "file:///etc/passwd", "http://127.0.0.1/x.png", "sample:panda", "C:\\x",
    "$HOME", "*", "NUL",
])  # fmt: skip
def test_no_id_names_a_file(name: str, server: Served) -> None:
    for path in ("api/images/{}", "api/nets/n0/predict/{}", "api/nets/{}/predict/s-panda", "api/jobs/{}/events",
                 "api/jobs/{}/preview", "api/results/{}", "api/indexes/{}/pictures/0", "api/nets/{}/layers",
                 "api/nets/n0/layers?image={}", "api/indexes/i0/sets/{}", "api/indexes/i0/sets/{}/mean"):  # fmt: skip
        answer = server.get(path.format(quote(name, safe="")))
        assert answer.status in (404, 422), (path, answer.body[:300])
        assert len(answer.error.splitlines()) == 1
    for path in ("api/jobs/{}/stop", "api/jobs/{}/resume"):
        assert server.post(path.format(quote(name, safe="")), {}).status in (404, 405, 422)
    assert server.post(f"api/jobs/{quote(name, safe='')}", b"", MARK, "DELETE").status in (404, 405, 422)
    sound(server)


BAD = {
    "nothing": (b"", "empty"),
    "a text": (b"hello", "no image"),
    "an SVG": (f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"/>'.encode(), "SVG"),
    "an SVG behind a comment": (b'<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "HTML"),
    "a bomb": (hostile.bomb(), "megapixels"),
    "a gigapixel": (hostile.png(declared=(40_000, 25_000)), "megapixels"),
    "ten gigapixels": (b"P6\n100000 100000\n255\n", "megapixels"),
    "no pixel": (hostile.png(declared=(0, 0)), ""),
    "half a JPEG": (hostile.encoded("JPEG")[:300], "cut short"),
    "half a PNG": (hostile.png(64, 64)[:60], "cut short"),
    "half a GIF": (hostile.encoded("GIF")[:40], "cut short"),
    "half a TIFF": (hostile.encoded("TIFF")[:100], "cut short"),
    "half a WebP": (hostile.encoded("WEBP")[:50], "cut short"),
    "a zip": (hostile.zipped(), "zip"),
    "a PDF": (b"%PDF-1.4\n", "PDF"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF\n%%BoundingBox: 0 0 10 10\n(/etc/passwd) (r) file\n", "PostScript"),
    "a program": (b"\x7fELF" + bytes(100), "no image"),
    "a pickle": (b"cos\nsystem\n(S'id'\ntR.", "no image"),
    "a film": (b"\0\0\0\x18ftypmp42" + bytes(100), "video"),
    "an HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
    "noughts": (bytes(1000), "no image"),
    "a JPEG that is a page": (b"\xff\xd8\xff\xe0" + b"<script>alert(1)</script>" * 20, ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_picture_is_refused_in_a_sentence(kind: str, server: Served) -> None:
    content, says = BAD[kind]
    answer = server.upload(content, quote(f"{kind}.png"))
    assert answer.status == 422, answer.body
    assert answer.json()["kind"] == "BadImage"
    assert answer.error.startswith(f"'{kind}.png' ")
    assert says in answer.error
    assert str(server.folder) not in answer.error
    sound(server)


@pytest.mark.parametrize(("name", "shown"), [
    (SCRIPT, SCRIPT), ("../../etc/passwd", "passwd"), ("C:\\x\\y.png", "y.png"), ("a\u202egnp.exe", "a\\u202egnp.exe"),
    ("a\0b", "a\\x00b"), ("a\r\nX: y", "a\\r\\nX: y"), ("", "picture"), ("..", ".."), ("🦁" * 300, "🦁" * 200),
])  # fmt: skip
def test_the_name_of_a_file_is_text(name: str, shown: str, server: Served) -> None:
    number = len(name.encode()) + 20  # a picture of its own for each
    answer = server.upload(hostile.png(number, 21), quote(name, safe=""))
    assert answer.status == 200, answer.body
    assert answer.json()["name"] == shown
    assert re.fullmatch(r"x-[0-9a-f]{16}", answer.json()["id"])
    back = server.get(f"api/images/{answer.json()['id']}")
    assert back.headers["content-type"] == "image/jpeg", "drawn anew, and never as it was sent"
    assert back.headers["x-content-type-options"] == "nosniff"


def test_what_a_camera_wrote_into_a_photo_does_not_come_back(server: Served) -> None:
    import io

    from PIL import Image

    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010F] = "secret maker"
    Image.new("RGB", (40, 30), "blue").save(out, "JPEG", exif=exif, comment=b"secret place")
    number = server.upload(out.getvalue()).json()["id"]
    assert b"secret" not in server.get(f"api/images/{number}").body


def test_too_much_is_refused(server: Served) -> None:
    assert server.post("api/images", b"0", {**MARK, "Content-Length": str(21 * 2**20)}).status == 413
    assert server.post("api/images", b"0", {**MARK, "Content-Length": "-1"}).status == 400
    assert server.upload(b"x", "a" * 20_000).status == 422
    with socket.create_connection(("127.0.0.1", server.port), 30) as line:  # headers that do not end
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60_000)
        assert b" 400 " in line.recv(4096)
    try:
        answer = server.post("api/images", b"0" * (20 * 2**20 + 1))
    except (BrokenPipeError, ConnectionResetError):  # refused before all was sent
        pass
    else:
        assert answer.status == 413
    chunk = b"100000\r\n" + b"0" * 2**20 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as line:
        head = f"POST {server.prefix}api/images HTTP/1.1\r\nHost: localhost\r\nX-Pellucid: 1\r\n"
        line.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(24):
                line.sendall(chunk)
            line.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert b" 413 " in line.recv(4096)
    sound(server)


@pytest.mark.parametrize("request_line", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\0\0\0\0\r\n\r\n",
    b"\x16\x03\x01\x02\0\x01",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
])  # fmt: skip
def test_what_is_no_request_of_ours_is_turned_away(request_line: bytes, server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 30) as line:
        line.sendall(request_line)
        line.shutdown(socket.SHUT_WR)
        said = line.recv(65536)
    assert not said or re.match(rb"HTTP/1.1 4\d\d ", said), said[:200]
    sound(server)


def test_a_socket_of_the_web_is_not_opened(server: Served) -> None:
    head = f"GET {server.prefix}api/state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as line:
        line.sendall(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        assert b" 101 " not in line.recv(4096)
    sound(server)


DEEP = '{"method": "gradient", "options": {"reduce": %s}}'


@pytest.mark.parametrize("body", [
    b"", b"{", b"null", b"\xff\xfe", b"[" * 100_000, (DEEP % ("[" * 900 + "]" * 900)).encode(), (DEEP % "NaN").encode(),
    (DEEP % ('{"a":' * 900 + "1" + "}" * 900)).encode(), (DEEP % "1e999").encode(), (DEEP % "-Infinity").encode(),
    (DEEP % ("9" * 5000)).encode(), b'{"method": "\\ud800"}', b'{"method": "a\\u0000b", "job": "../x"}',
    b'{"method": {"$ref": "/etc/passwd"}}', b'{"method": "gradient", "method": 1}', b'{"__proto__": {"method": "x"}}',
    b'{"method": "gradient", "nouns": {"images": ["s-panda"], "net": {"image": "/etc/passwd"}}}',
])  # fmt: skip
@pytest.mark.parametrize("path", ["api/ask", "api/compare", "api/lines"])
def test_a_body_that_is_none_is_refused_in_a_line(path: str, body: bytes, server: Served) -> None:
    answer = server.post(path, body, JSON)
    assert answer.status in (400, 422), answer.body[:300]
    assert len(answer.error.splitlines()) == 1
    assert len(answer.error) < 500
    sound(server)


def test_html_in_the_name_of_a_class_comes_back_as_text(server: Served) -> None:
    for asked in (SCRIPT, f"p({SCRIPT})", f"{SCRIPT}:3"):
        said = server.answer("grad_cam", images="s-panda", target=asked)
        assert SCRIPT in said["error"]
    lines = server.lines("api/compare", {"methods": ["gradient"], "image": "s-panda", "targets": [SCRIPT]})
    assert any(SCRIPT in str(one.get("error")) for one in lines)
    for said in (server.post("api/ask", {"method": SCRIPT}), server.get(f"api/images/{quote(SCRIPT, safe='')}")):
        assert not said.headers["content-type"].startswith("text/html")
    sound(server)


def asks_elsewhere(place: str) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """What asks for a file or an address: name -> (method, options, what it is asked about)."""
    image, nested = {"images": "s-panda"}, {"method": "occlusion", "options": {"fill": place}}
    return {
        "fill": ("occlusion", {"fill": place}, image),
        "fill as a picture": ("occlusion", {"fill": {"image": place}}, image),
        "fill as a list": ("occlusion", {"fill": [place]}, image),
        "baseline": ("integrated_gradients", {"baseline": place}, image),
        "references": ("expected_gradients", {"references": place}, image),
        "a method within": ("smooth_grad", {"of": nested}, image),
        "a method within, as text": ("smooth_grad", {"of": f"occlusion:fill={place}"}, image),
        "a question within": ("smooth_grad", {"of": {"method": "gradient", "nouns": {"images": place}}}, image),
        "two within": ("smooth_grad", {"of": {"method": "smooth_grad", "options": {"of": nested}}}, image),
        "methods within": ("sensitivity", {"of": f"grad_cam,occlusion:fill={place}"}, image),
        "methods within, as a list": ("sensitivity", {"of": ["grad_cam", nested]}, image),
        "real": ("activation_maximization", {"real": place}, {"target": "blocks.4:17"}),
        "recipe": ("activation_maximization", {"recipe": place}, {"target": "blocks.4:17"}),
        "style": ("style_transfer", {"style": place}, image),
        "guide": ("deepdream", {"guide": place}, image),
        "concepts": ("dissection", {"concepts": place}, {"index": place}),
        "logs": ("trajectory", {"log": [place]}, {}),
        "test": ("sharpness", {"test": place}, {}),
        "boxes": ("energy", {"truth": place}, image),
        "nets": ("invariance", {"other_nets": place}, image),
        "checkpoints": ("gradient_flow", {"checkpoints": place}, {}),
        "a file to write": ("right_reasons", {"save": place, "masks": "bottom_right"}, {"data": place}),
        "a layer": ("grad_cam", {"layer": place}, image),
        "layers": ("texture", {"layers": [place]}, image),
        "a network": ("grad_cam", {}, {**image, "net": place}),
        "an image": ("grad_cam", {}, {"images": place}),
        "images": ("groups", {"groups": place}, {"data": place, "images": [place]}),
        "an index": ("neighbors", {}, {**image, "index": place}),
        "a unit": ("page", {}, {"unit": place, "index": place}),
        "a likeness": ("gradient", {}, {**image, "target": f"similar({place})"}),
        "a likeness within": ("gradient", {}, {**image, "target": f"2 * p(similar({place})) - similar({place})"}),
        "a target": ("gradient", {}, {**image, "target": place}),
        "another target": ("interpolation", {"end": f"similar({place})"}, {"target": "koala"}),
        "a method": (place, {}, image),
    }


@pytest.mark.parametrize("what", asks_elsewhere(""))
def test_no_text_of_a_page_opens_a_file_or_an_address(
    what: str, server: Served, door: tuple[int, list[Any]], tmp_path: Path
) -> None:
    hostile.secrets(tmp_path)
    before = sorted(tmp_path.iterdir())
    for place in (f"http://127.0.0.1:{door[0]}/x.png", str(tmp_path / "secret.png"), f"file://{tmp_path}/secret.png",
                  str(tmp_path / "new.safetensors"), "/etc/hostname"):  # fmt: skip
        method, options, nouns = asks_elsewhere(place)[what]
        answer = server.post("api/ask", {"method": method, "options": options, "nouns": nouns})
        if answer.status == 200:
            answer_lines = [json.loads(line) for line in answer.body.splitlines()]
            assert not [one for one in answer_lines if "key" in one], "answered, though what was asked for is elsewhere"
            error = next(one["error"] for one in answer_lines if "error" in one)
            assert "inside" not in error
        else:
            assert answer.status == 422
            error = answer.error
        assert len(error.splitlines()) == 1
        assert "secret.jpg" not in error, "the names of other files are nobody's business"
    assert not door[1], "somebody has connected"
    assert sorted(tmp_path.iterdir()) == before
    sound(server)


def test_sql_opens_nothing(server: Served) -> None:
    """Its condition is fenced by the database itself; here there is no index to ask about."""
    said = server.answer("table", {"where": "unit in (select * from read_csv('/etc/passwd'))"}, index="i0")
    assert "error" in said
    sound(server)


def of_everything(folder: Path, step: int) -> dict[str, Any]:
    """What `tests.web.everything` tells."""
    words = [sys.executable, "-m", "tests.web.everything", str(folder), str(step)]
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], env=env)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def clean(told: dict[str, Any]) -> None:
    """Nothing went wrong, and a good deal was tried."""
    assert not told["wrong"], "\n".join(told["examples"])
    assert told["methods"] > 100
    assert told["texts"] > 200


@pytest.mark.slow
def test_no_option_of_any_method_opens_anything_for_hostile_texts(tmp_path: Path) -> None:
    """Every ninth pair of an option and a text; `python -m tests.web.everything FOLDER 1` tries all."""
    told = of_everything(tmp_path, 9)
    clean(told)
    assert told["tried"] > 16_000


@pytest.mark.slow
def test_methods_that_are_really_asked_open_nothing(tmp_path: Path) -> None:
    clean(of_everything(tmp_path, 0))
