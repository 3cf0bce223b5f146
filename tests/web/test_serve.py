"""The server over its socket, as a page asks it."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.hostile import png
from tests.web.served import Served


def parsed(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what a result says, its tensors by name), read as the page reads it."""
    (length,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + length])
    about = json.loads(head.pop("__metadata__")["about"])
    for one in head.values():
        begin, end = one["data_offsets"]
        assert 0 <= begin <= end <= len(content) - 8 - length
    return about, head


def children(of: int) -> list[int]:
    """Processes that a process has begun, and those of these."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:  # it ended meanwhile
            continue
        if int(rest.split()[1]) == of:
            found.append(int(name.split()[0]))
    return found + [deeper for one in found for deeper in children(one)]


def test_neither_torch_nor_numpy_is_imported() -> None:
    code = (
        "import sys, pellucid.web.app, pellucid.web.serve; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_printed_link_leads_to_the_page(server: Served) -> None:
    assert re.fullmatch(r"http://localhost:\d+/k/[\w-]{43}/", server.link)
    with urllib.request.urlopen(server.link, timeout=30) as answer:
        page = answer.read().decode()
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert server.get(address.removeprefix("./")).status == 200, address
    bare = server.raw("GET", server.prefix.rstrip("/"))
    assert (bare.status, bare.headers["location"]) == (307, f"{server.prefix.strip('/').removeprefix('k/')}/")


def test_the_token_is_kept_for_its_owner_alone(server: Served) -> None:
    (file,) = server.folder.rglob("token")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() in server.link


def test_what_is_here_is_said_without_the_paths_of_this_machine(server: Served, photos: Path) -> None:
    state = server.ready()
    assert state["nets"][0]["classes"] == 1000
    assert "s-panda" in [one["id"] for one in state["images"]]
    assert [one["name"] for one in state["folders"]] == ["photos"]
    for path in ("api/state", "api/methods"):
        said = server.get(path).body.decode()
        for place in (str(photos), str(server.folder), sys.prefix, str(Path.home())):
            assert place not in said


def test_every_method_has_a_form(server: Served) -> None:
    answer = server.get("api/methods")
    methods = {one["name"]: one for one in answer.json()}
    assert len(methods) > 100
    assert methods["occlusion"]["options"]["properties"]["fill"]["default"] == "gray"
    assert methods["occlusion"]["nouns"]["images"] == {
        "format": "image", "written": "IMAGE", "many": True, "needed": True, "sample": "sample:panda",
        "help": "image file, URL, or sample such as sample:panda",
    }  # fmt: skip
    again = server.raw("GET", f"{server.prefix}api/methods", {"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_picture_is_sent_looked_at_and_recognized(server: Served) -> None:
    sent = server.upload(png(300, 200), "my%20picture.png").json()
    assert sent["name"] == "my picture.png"
    assert sent["size"] == [200, 300]
    assert server.upload(png(300, 200), "other.png").json()["id"] == sent["id"], "the same picture has the same id"
    back = server.get(f"api/images/{sent['id']}?side=150")
    assert back.headers["content-type"] == "image/jpeg"
    from PIL import Image

    assert Image.open(io.BytesIO(back.body)).size == (150, 100)
    seen = server.get(f"api/nets/n0/predict/{sent['id']}").json()
    assert len(seen["guesses"]) == 5
    assert server.get("api/nets/n0/predict/s-panda?k=2").json()["guesses"][0]["name"] == "giant panda"


@pytest.fixture(scope="module")
def answered(server: Served) -> str:
    """The key of an answer."""
    lines = list(server.lines("api/ask", {"method": "grad_cam", "nouns": {"images": "s-panda", "target": "koala"}}))
    assert [list(one)[1] for one in (lines[0], lines[-1])] == ["job", "done"]
    assert [one["n"] for one in lines] == sorted({one["n"] for one in lines})
    (key,) = [one["key"] for one in lines if "key" in one]
    return str(key)


def test_an_answer_is_fetched_by_its_key(server: Served, answered: str) -> None:
    answer = server.get(f"api/results/{answered}")
    assert "immutable" in answer.headers["cache-control"]
    about, tensors = parsed(answer.body)
    assert about["kind"] == "Heatmap"
    assert about["fields"]["values"]["$"] in tensors if "fields" in about else about["values"]["$"] in tensors
    assert str(server.folder) not in json.dumps(about)


def test_whether_an_answer_is_kept_is_said_without_making_one(server: Served, answered: str) -> None:
    def known(target: str) -> Any:
        return server.post("api/known", {"method": "grad_cam", "nouns": {"images": "s-panda", "target": target}}).json()

    assert known("koala") == {"key": answered}
    assert known("indri") == {"key": None}
    assert "no class 'giant pand'; nearest of 1842: giant panda," in known("giant pand")["error"]


@pytest.mark.parametrize("kind", ["png", "npz", "json", "svg"])
def test_an_answer_is_taken_away(kind: str, server: Served, answered: str) -> None:
    answer = server.get(f"api/results/{answered}?as={kind}")
    assert answer.status == 200, answer.body
    assert f'filename="grad_cam-{answered[:8]}.{kind}"' in answer.headers["content-disposition"]
    if kind == "png":
        assert answer.body.startswith(b"\x89PNG")
    elif kind == "npz":
        assert zipfile.ZipFile(io.BytesIO(answer.body)).testzip() is None
    elif kind == "json":
        assert "grad_cam" in json.dumps(answer.json())
    else:
        assert b"<svg" in answer.body
        assert b"<script" not in answer.body


def test_a_comparison_says_its_columns_and_then_each_cell(server: Served) -> None:
    body = {"methods": ["grad_cam", "gradient"], "image": "s-panda", "targets": ["giant panda", "koala"]}
    lines = list(server.lines("api/compare", body))
    said = [one for one in lines if "progress" not in one]
    assert [one["name"] for one in said[1]["columns"]] == ["giant panda", "koala"]
    assert [one["name"] for one in said[1]["rows"]] == ["grad_cam", "gradient"]
    cells = said[2:-1]
    assert {(one["row"], one["column"]) for one in cells} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert len({one["key"] for one in cells}) == 4
    assert said[-1]["done"]
    job = said[0]["job"]
    after = list(server.lines(f"api/jobs/{job}/events?after={said[2]['n']}"))
    assert [one for one in after if "progress" not in one] == said[3:], "a stream is taken up where it broke off"


@pytest.mark.parametrize(
    "path",
    ["api/images/x-0123456789abcdef", "api/jobs/0123456789abcdef/events", "api/jobs/nothing/preview",
     f"api/results/{'0' * 64}", "api/nets/n7/predict/s-panda", "api/nothing", "nothing.js"],
)  # fmt: skip
def test_what_is_not_here_is_answered_in_a_line(path: str, server: Served) -> None:
    answer = server.get(path)
    assert answer.status == 404, answer.body
    assert len(answer.error.splitlines()) == 1


@pytest.mark.parametrize(("path", "body", "says"), [
    ("api/compare", {"methods": [], "image": "s-panda"}, "methods"),
    ("api/compare", {"methods": ["gradient"]}, "image"),
    ("api/compare", {"methods": ["gradient"], "image": "s-panda", "k": 0}, "k"),
    ("api/compare", {"methods": ["gradient"], "image": "s-panda", "more": 1}, "more"),
    ("api/compare", {"methods": ["gradient"], "image": "a/b"}, "image"), ("api/ask", [], "request"),
    ("api/ask", {"method": "x" * 201}, "method"),
    ("api/ask", {"method": "gradient", "nouns": {"a": {"path": "x"}}}, "nouns"),
    ("api/ask", {"method": "gradient", "options": {str(k): 0 for k in range(33)}}, "options"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused_where_it_stands(path: str, body: Any, says: str, server: Served) -> None:
    answer = server.post(path, body)
    assert answer.status == 422
    assert says in answer.error
    assert len(answer.error.splitlines()) == 1


def test_an_unknown_name_is_answered_with_the_nearest(server: Served) -> None:
    assert "grad_cam" in server.answer("grad_cm", images="s-panda")["error"]
    assert "size" in server.answer("occlusion", {"sise": 3}, images="s-panda")["error"]
    assert "blocks.4" in server.answer("grad_cam", {"layer": "block.4"}, images="s-panda")["error"]
    said = next(
        one for one in server.lines("api/compare", {"methods": ["gradcam"], "image": "s-panda"}) if "error" in one
    )
    assert "grad_cam" in said["error"]
    assert said["kind"] == "UnknownName"


@pytest.mark.parametrize(("path", "headers", "status"), [
    ("", {}, 200), ("/", {}, 404), ("/k/", {}, 404), ("/k/wrong/", {}, 404), ("/api/state", {}, 404),
    ("", {"Host": "evil.example"}, 400), ("", {"Host": "localhost.evil.example:80"}, 400), ("", {"Host": ""}, 400),
])  # fmt: skip
def test_who_has_no_link_gets_nothing(path: str, headers: dict[str, str], status: int, server: Served) -> None:
    answer = server.raw("GET", path or server.prefix, headers)
    assert answer.status == status
    assert server.prefix.strip("/").removeprefix("k/") not in answer.body.decode()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("headers", [
    {}, {"X-Pellucid": "2"}, {"X-Pellucid": "1", "Origin": "http://evil.example"},
    {"X-Pellucid": "1", "Origin": "null"},
    {"X-Pellucid": "1", "Sec-Fetch-Site": "cross-site"}, {"X-Pellucid": "1", "Sec-Fetch-Site": "none"},
])  # fmt: skip
@pytest.mark.parametrize("path", ["api/images", "api/ask", "api/compare", "api/jobs/x/stop"])
def test_another_page_changes_nothing(path: str, headers: dict[str, str], server: Served) -> None:
    assert server.post(path, b"{}", headers).status == 403


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, "--no-token") as found:
        yield found


@pytest.mark.slow
def test_ctrl_c_ends_it_and_all_that_it_began(own: Served) -> None:
    own.get("api/state")  # asked at once: the link is good as soon as it is printed
    began = children(own.process.pid)
    begun = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - begun < 15
    assert own.log.read_text() == ""
    assert not [one for one in began if Path(f"/proc/{one}").exists() and os.getpgid(one)]


def test_without_a_token_it_serves_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="--no-token is for this machine alone"):
        Served(tmp_path, "--no-token", "--host", "0.0.0.0").__enter__()


def test_a_port_that_is_taken_is_said(server: Served, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"cannot listen at 127.0.0.1:{server.port}"):
        Served(tmp_path, "--port", str(server.port)).__enter__()
