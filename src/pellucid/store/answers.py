"""Answers of questions in a folder, each in one file that is named by all that the answer depends on."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pellucid.catalogue.ask import Ask
from pellucid.errors import BadResult, PellucidError, UnknownName
from pellucid.nouns import Noun
from pellucid.result import Result, versions
from pellucid.result import stored as files

_KEY = re.compile(r"[0-9a-f]{64}")


class Store:
    """A folder of answers.

        store = pl.Store("answers")
        heat = store.answer(pl.Ask("rise", {"target": "boxer"}), net, dog)   # computed once, read from then on

    A key takes in the question with all its options, every pixel and its original, the network's weights, the versions
    of Pellucid and torch and the kind of device that a given network is on (the one that an index loads by itself
    counts as its weights), so that what is read is what would be computed. Each answer is a file that `pellucid.open`
    reads too, whole or not there; one that is damaged is computed anew. Several programs may use one folder.
    """

    def __init__(self, folder: str | Path, *, limit: int | None = None) -> None:
        """`folder` is made where there is none. Of more than `limit` bytes, what was not read for longest is deleted.

        PellucidError where the folder cannot be made, or is a file.
        """
        self.folder, self.limit = Path(folder).expanduser(), limit
        if limit is not None and limit < 0:
            raise PellucidError(f"limit={limit}: a number of bytes, 0 or more")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PellucidError(f"cannot keep answers in {str(folder)!r}: {error.strerror}: name a folder") from error

    def answer(self, ask: Ask, *opened: Noun, **named: Any) -> Any:
        """As `Ask.answer`: the answer, or a tuple of them for a list of targets; read where it is known.

        Of a list only those are computed that are not known yet, together.
        """
        given, several = ask.opened(*opened, **named)
        each = [given | one for one in several] if several else [given]
        keys = [_key(ask, one) for one in each]
        found = {key: self.get(key) for key in keys}
        missing = {key: one for key, one in zip(keys, each, strict=True) if found[key] is None}
        computed: dict[str, Result] = {}
        if missing and several:
            (name,) = several[0]
            answers = ask.answer(**given | {name: [one[name] for one in missing.values()]})
            computed = dict(zip(missing, answers, strict=True))
        elif missing:
            computed = {key: ask.answer(**one) for key, one in missing.items()}
        for key, result in computed.items():
            self.put(key, result)
        found |= computed
        return tuple(found[key] for key in keys) if several else found[keys[0]]

    def key(self, ask: Ask, *opened: Noun, **named: Any) -> str:
        """SHA-256 of all that the answer depends on. PellucidError for a list of targets: each has a key of its own."""
        given, several = ask.opened(*opened, **named)
        if several:
            (name,) = several[0]
            raise PellucidError(f"{ask.method}: a list of {name}s is {len(several)} questions: ask for one key each")
        return _key(ask, given)

    def get(self, key: str) -> Result | None:
        """The answer of that key; None where there is none. A file that no longer holds what was written is none."""
        path = self._path(key)
        try:
            result = files.open(path)
        except (BadResult, UnknownName):
            return None
        try:
            os.utime(path)  # when it was last read
        except OSError:  # the folder may be read-only, or another program has just deleted it: the answer stands
            return result
        return result

    def put(self, key: str, result: Result) -> Path:
        """Keep an answer. PellucidError where it cannot be written."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        result.save(path)
        self._shrink()
        return path

    def __contains__(self, key: str) -> bool:
        return self._path(key).is_file()

    def __iter__(self) -> Iterator[str]:
        """The keys, in their own order."""
        return iter(sorted(path.stem for path in self._files()))

    def __len__(self) -> int:
        return len(self._files())

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}: {len(self)} answers)"

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob("??/*.npz") if _KEY.fullmatch(path.stem)]

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise PellucidError(f"{key!r} is no key: 64 hexadecimal digits, as Store.key gives them")
        return self.folder / key[:2] / f"{key}.npz"

    def _shrink(self) -> None:
        """Delete what was not read for longest, until the rest is within the limit."""
        if self.limit is None:
            return
        ages = []
        for path in self._files():
            try:
                state = path.stat()
            except FileNotFoundError:  # another program has just deleted it
                continue
            ages.append((state.st_mtime_ns, path.name, state.st_size, path))
        size = sum(age[2] for age in ages)
        for _, _, bytes_, path in sorted(ages):
            if size <= self.limit:
                return
            path.unlink(missing_ok=True)
            size -= bytes_


def _key(ask: Ask, given: Mapping[str, Any]) -> str:
    """The question, and what else decides the bits of its answer: versions, and the kind of device."""
    networks = [noun.network for noun in given.values() if isinstance(noun, Noun)]
    devices = sorted({network.device.type for network in networks if network is not None})
    whole = json.dumps([ask.key(**given), versions(), devices], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
