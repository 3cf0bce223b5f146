"""How the command begins, and how it ends where it cannot."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pellucid.errors import PellucidError
from pellucid.web.serve import serve


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(("given", "said"), [
    ({"images": ["nowhere.jpg"]}, "there is no 'nowhere.jpg': name images, and folders of images, that exist"),
    ({"indexes": ["."]}, "'.' is no index: pellucid index photos/ --store photos.index makes one"),
    ({"host": "0.0.0.0", "token": False}, "--no-token is for this machine alone"),
    ({"net": "nonsense"}, "'nonsense'"),
])  # fmt: skip
def test_what_cannot_be_opened_ends_it_in_a_line(given: dict[str, object], said: str) -> None:
    # In a thread of its own: tests with a browser leave an event loop running in this one.
    with ThreadPoolExecutor(1) as own, pytest.raises(PellucidError) as refused:
        own.submit(serve, port=0, open=False, **given).result()  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PellucidError, match=rf"cannot listen at 127.0.0.1:{port} .*try --port 0"):
            serve(port=port, open=False)
