"""Weights from afar: found in the caches that others keep too, fetched once, or an answer within seconds."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch

from pellucid.errors import BadNetwork
from pellucid.files import write_atomically
from pellucid.progress import steps

_KNOCK = 3.0  # seconds for one answer
_PATIENCE = 5.0  # seconds in all, where the name server is silent too
_CHUNK = 2**20


def hub_file(who: str, repo: str, names: list[str]) -> Path:
    """The first of `names` that the Hugging Face repository has: from its cache, or fetched into it."""
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    repo, _, revision = repo.partition("@")
    for name in names:
        cached = try_to_load_from_cache(repo, name, revision=revision or None)
        if isinstance(cached, str):
            return Path(cached)
    if constants.HF_HUB_OFFLINE:
        raise _unreachable(who, constants.ENDPOINT, "HF_HUB_OFFLINE is set")
    _probe_host(who, constants.ENDPOINT)  # the hub's own client would try again and again for most of a minute
    for name in names:
        try:
            return Path(hf_hub_download(repo, name, revision=revision or None))
        except LocalEntryNotFoundError as error:
            raise _unreachable(who, constants.ENDPOINT, str(error)) from error
        except EntryNotFoundError:
            continue
        except Exception as error:
            raise _unreachable(who, constants.ENDPOINT, f"{type(error).__name__}: {error}") from error
    raise BadNetwork(f"the weights of {who} are not where they should be: {repo} has none of {', '.join(names)}")


def url_file(who: str, url: str) -> Path:
    """The file at `url`, from torch.hub's cache or fetched into it, checked against the hash in its name, if any."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(url).path).name)
    if not path.is_file():
        _probe_host(who, url)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: _fetch(who, url, file))
    wanted = re.search(r"-([0-9a-f]{8,})\.", path.name)
    with path.open("rb") as file:
        if wanted and not hashlib.file_digest(file, "sha256").hexdigest().startswith(wanted.group(1)):
            raise BadNetwork(f"{str(path)!r} is damaged: its SHA-256 is not that in its name; delete it and try again")
    return path


def _fetch(who: str, url: str, file: IO[bytes]) -> None:
    def chunks() -> Iterator[bytes]:
        try:
            with urlopen(url, timeout=10) as answer:
                while chunk := answer.read(_CHUNK):
                    yield chunk
        except (OSError, HTTPException) as error:
            raise _unreachable(who, url, str(error)) from error

    for chunk in steps(chunks(), f"fetching the weights of {who}"):
        file.write(chunk)


def _probe_host(who: str, url: str) -> None:
    """Raise BadNetwork within seconds if nobody answers at that address, by way of the user's proxy if any."""
    answers: list[str] = []

    def knock() -> None:
        try:
            with urlopen(Request(url, method="HEAD"), timeout=_KNOCK):
                answers.append("")
        except HTTPError as error:  # somebody is there
            error.close()
            answers.append("")
        except (OSError, HTTPException, ValueError) as error:
            answers.append(str(getattr(error, "reason", error)))

    thread = threading.Thread(target=knock, daemon=True)  # a name server that is silent cannot be hurried
    thread.start()
    thread.join(_PATIENCE)
    if not answers or answers[0]:
        raise _unreachable(who, url, answers[0] if answers else f"no answer in {_PATIENCE:.0f} s")


def _unreachable(who: str, url: str, reason: str) -> BadNetwork:
    return BadNetwork(
        f"the weights of {who} are not on this machine, and {urlsplit(url).netloc} did not give them "
        f"({reason}): go on with weights='random', or weights='FILE' if you have them"
    )
