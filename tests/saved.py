"""What a page that was saved as one file holds."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load


def saved(page: str) -> Any:
    """All that its script is given."""
    (found,) = re.findall(r'<script type="application/json" id="saved">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def answers(page: str, path: str) -> list[tuple[Any, bytes]]:
    """What was asked of an address, and the bytes that were answered."""
    records = saved(page)["records"]
    return [(json.loads(key[len(path) + 1 :]), base64.b64decode(one["bytes"])) for key, one in records.items()
            if key.startswith(f"{path} ")]  # fmt: skip


def arrays_of(content: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Of an answer in arrays: (what it says, the arrays by name)."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["about"]), dict(load(content))


def alone(page: str) -> None:
    """Nothing in it but its own script may run, and nothing is asked of the network."""
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[0]
    assert "http" not in policy[0]
    head = page[: page.index("<style>")]
    body = page[page.index("<body>") : page.index('<script type="application/json"')]
    assert not re.findall(r"<(?:script|link|img|iframe|base)|\bsrc=|\bhref=|https?://", head + body)
    assert page.count("<script") == page.count("</script>") == 2
    assert page.count("<style>") == page.count("</style>") == 1
