"""The index on disk: shards that are whole or not there, a manifest, and what is made of them when all are there.

Truth lies in the shards: immutable files with a checksum, written beside their place, forced to disk, renamed.
Whoever dies at any moment has lost the shard under way and nothing else. The manifest (SQLite, WAL) says which there
are and what each file's SHA-256 is; the merged arrays lie memory-mapped in a generation that one small file names.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.sweep.fold import Part
from pellucid.sweep.plan import FREE, Plan
from pellucid.sweep.shard import Done

_TABLES = """
create table if not exists plan (key text primary key, said text not null);
create table if not exists shards (shard integer primary key, sha256 text not null, bytes integer, images integer);
create table if not exists bad (image integer primary key, shard integer, reason text not null);
create table if not exists files (name text primary key, sha256 text not null, bytes integer);
"""


class BadStore(PellucidError):
    """An index that is damaged, or is another one's."""

    exit_code = 3


class Store:
    """A folder that holds one index."""

    def __init__(self, folder: str | Path, plan: Plan) -> None:
        self.folder, self.plan = Path(folder), plan

    @classmethod
    def begun(cls, folder: str | Path, plan: Plan) -> Store:
        """The store for that plan: a new one, or the one that was begun with the same plan. Others are refused."""
        folder = Path(folder)
        try:
            (folder / "shards").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PellucidError(f"cannot write the index {str(folder)!r}: {error.strerror}") from error
        with _manifest(folder) as db:
            rows = db.execute("select key, said from plan").fetchall()
            if not rows:
                db.execute("insert into plan values (?, ?)", (plan.key, json.dumps(plan.as_dict())))
        if rows and rows[0][0] != plan.key:
            raise BadStore(f"{str(folder)!r} is the index of something else: {_differs(json.loads(rows[0][1]), plan)}")
        store = cls(folder, plan)
        store._sweep()
        return store

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """An index that is there, finished or not."""
        folder = Path(folder)
        if not (folder / "manifest.sqlite").is_file():
            raise BadStore(f"{str(folder)!r} is no index: pellucid index PICTURES --store {folder.name} makes one")
        with _manifest(folder) as db:
            rows = db.execute("select said from plan").fetchall()
        if not rows:
            raise BadStore(f"{str(folder)!r} was never begun: run pellucid index again")
        return cls(folder, Plan.from_dict(json.loads(rows[0][0])))

    def committed(self) -> set[int]:
        """The shards that are there."""
        with _manifest(self.folder) as db:
            return {row[0] for row in db.execute("select shard from shards")}

    def commit(self, shard: int, done: Done) -> None:
        """Write a shard; once this returns, it survives whatever happens. Writing it again changes nothing."""
        data = _packed(done.parts)
        digest = hashlib.sha256(data).hexdigest()
        write_atomically(self._shard(shard), lambda file: file.write(data))
        _synced(self.folder / "shards")
        with _manifest(self.folder) as db:
            db.execute("insert or replace into shards values (?, ?, ?, ?)", (shard, digest, len(data), done.images))
            db.executemany("insert or replace into bad values (?, ?, ?)", [(i, shard, why) for i, why in done.bad])

    def bad(self) -> tuple[tuple[int, str], ...]:
        """The pictures that could not be read, with their reasons."""
        with _manifest(self.folder) as db:
            return tuple(db.execute("select image, reason from bad order by image"))

    def part(self, shard: int) -> dict[str, Part]:
        """A shard as it was committed. Raises BadStore where its bytes have changed."""
        with _manifest(self.folder) as db:
            row = db.execute("select sha256 from shards where shard = ?", (shard,)).fetchone()
        data = _checked(self._shard(shard), row[0] if row else None)
        return _unpacked(data)

    def finalise(self) -> None:
        """Merge all shards into the arrays that are read, and let them be the index at one stroke."""
        merged: dict[str, Part] = {}
        for shard in sorted(self.committed()):
            parts = self.part(shard)
            for fold in self.plan.folds:
                mine = parts[fold.name]
                merged[fold.name] = (
                    fold.merge(self.plan.units, merged[fold.name], mine) if fold.name in merged else mine
                )
        arrays = {
            f"{fold.name}.{name}": values
            for fold in self.plan.folds
            if fold.name in merged
            for name, values in fold.finish(self.plan.units, merged[fold.name]).items()
        }
        digests = {name: hashlib.sha256(_array_bytes(values)).hexdigest() for name, values in arrays.items()}
        whole = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()
        place = self.folder / f"generation-{whole[:16]}"
        place.mkdir(exist_ok=True)
        for name, values in arrays.items():
            write_atomically(place / f"{name}.npy", partial(_save, values))
        _synced(place)
        with _manifest(self.folder) as db:
            db.execute("delete from files")
            for file in sorted(place.glob("*.npy")):
                data = file.read_bytes()
                row = (f"{place.name}/{file.name}", hashlib.sha256(data).hexdigest(), len(data))
                db.execute("insert into files values (?, ?, ?)", row)
        said = json.dumps({"generation": place.name, "digest": whole, "shards": len(self.committed())})
        write_atomically(self.folder / "current.json", lambda file: file.write(said.encode()))
        for old in self.folder.glob("generation-*"):
            if old != place:
                shutil.rmtree(old, ignore_errors=True)

    @cached_property
    def current(self) -> Mapping[str, Any]:
        """Which generation is read, and the digest of everything in it."""
        try:
            said: Mapping[str, Any] = json.loads((self.folder / "current.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadStore(f"{str(self.folder)!r} is not finished: run the same pellucid index line again") from None
        except (OSError, ValueError) as error:
            raise BadStore(f"{str(self.folder)!r} is damaged: current.json cannot be read: {error}") from error
        return said

    def array(self, name: str) -> NDArray[Any]:
        """One of the merged arrays, memory-mapped."""
        path = self.folder / self.current["generation"] / f"{name}.npy"
        try:
            found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise BadStore(f"{str(self.folder)!r} is damaged: {path.name} cannot be read: {error}") from error
        return found

    def check(self) -> tuple[str, ...]:
        """What is wrong with the files: nothing, or one line for each that is not what was written."""
        wrong = []
        with _manifest(self.folder) as db:
            files = [(self._shard(shard), digest) for shard, digest in db.execute("select shard, sha256 from shards")]
            files += [(self.folder / name, digest) for name, digest in db.execute("select name, sha256 from files")]
            sound = db.execute("pragma integrity_check").fetchone()[0]
        if sound != "ok":
            wrong.append(f"manifest.sqlite: {sound}")
        for path, digest in files:
            try:
                _checked(path, digest)
            except BadStore as error:
                wrong.append(str(error))
        return tuple(wrong)

    def _shard(self, shard: int) -> Path:
        return self.folder / "shards" / f"{shard:06d}.npz"

    def _sweep(self) -> None:
        """Take away what writers that died left behind."""
        for left in [*self.folder.glob(".*.part"), *(self.folder / "shards").glob(".*.part")]:
            left.unlink(missing_ok=True)


@contextmanager
def _manifest(folder: Path) -> Iterator[sqlite3.Connection]:
    """The manifest inside one transaction."""
    path = folder / "manifest.sqlite"
    try:
        with closing(sqlite3.connect(path, timeout=60)) as db:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.executescript(_TABLES)
            with db:
                yield db
    except sqlite3.DatabaseError as error:
        raise BadStore(f"the manifest of {str(folder)!r} cannot be used: {error}") from error


def _packed(parts: Mapping[str, Part]) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {f"{fold}.{name}": one for fold, part in parts.items() for name, one in part.items()}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _save(values: NDArray[Any], file: IO[bytes]) -> None:
    np.save(file, values, allow_pickle=False)


def _unpacked(data: bytes) -> dict[str, Part]:
    found: dict[str, Part] = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        for key in held.files:
            fold, _, name = key.partition(".")
            found.setdefault(fold, {})[name] = held[key]
    return found


def _array_bytes(values: NDArray[Any]) -> bytes:
    return f"{values.dtype.str} {values.shape}".encode() + np.ascontiguousarray(values).tobytes()


def _checked(path: Path, digest: str | None) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadStore(f"{path.name}: {error.strerror}") from error
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise BadStore(f"{path.name}: not what was written: its checksum differs")
    return data


def _synced(folder: Path) -> None:
    """Force a folder's entries to disk: a rename is not safe before."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _differs(said: Mapping[str, Any], plan: Plan) -> str:
    mine = plan.as_dict()
    names = [name for name in mine if name not in FREE and said.get(name) != mine[name]]
    return f"other {', '.join(names)}; name another --store"
