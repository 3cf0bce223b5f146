"""The index on disk: shards that are whole or not there, and what is made of them when all are there.

    x.index/plan.json            what is done: which network, which images, what is kept
            shards/000012.npz    what came of a shard, its unreadable images and their reasons
            generation-…/*.npy   the merged arrays, memory-mapped, and manifest.json: the SHA-256 of each
            current.json         which generation is read
            measured/*.npz       rows that were measured afterwards, and can be again

Truth lies in the shards. Every file is written beside its place, forced to disk and renamed, and holds or is given a
SHA-256; none is ever changed. So whoever dies at any moment has lost the shard under way and nothing else; any number
of writers, on any number of machines that share the folder, may work at once without a lock; a reader needs no right
to write. (A database would need one, and a local disk.)
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import BadImage, PellucidError
from pellucid.images.sources import Source
from pellucid.sweep import _disk, final
from pellucid.sweep._checked import checked
from pellucid.sweep._disk import BadStore, declare, declared
from pellucid.sweep.fold import Fold, Held, Part, Read, Shape
from pellucid.sweep.plan import FREE, Plan
from pellucid.sweep.shard import Done

__all__ = ["BadStore", "Store"]
_AGAIN = "to make it again run the line that made the index, with --retry"
_MANY = 1000
"""Missing shards that are named."""


class Store:
    """A folder that holds one index."""

    def __init__(self, folder: str | Path, plan: Plan, key: str | None = None) -> None:
        self.folder, self.plan = Path(folder), plan
        self.key = key or plan.key

    @classmethod
    def begun(cls, folder: str | Path, plan: Plan) -> Store:
        """The store for that plan: a new one, or the one that was begun with the same plan, or with the same but for
        statistics that it can spare. Others are refused.
        """
        store = cls(folder, plan)
        place = store.folder / "plan.json"
        if not place.exists():
            if store.committed():
                raise BadStore(
                    f"{str(folder)!r} has lost its plan.json, or is of another version: name another --store"
                )
            try:
                (store.folder / "shards").mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise PellucidError(f"cannot write the index {str(folder)!r}: {error.strerror}") from error
            declare(place, {"key": plan.key, "plan": plan.as_dict()}, first=True)
        there = cls.open(folder)  # perhaps another's, who came first
        if there.plan.key != plan.begun_as(there.plan).key:
            raise BadStore(f"{str(folder)!r} is the index of something else: {_differs(there.plan, plan)}")
        there._sweep()
        return there

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """An index that is there, finished or not."""
        folder = Path(folder)
        if not (folder / "plan.json").exists():
            raise BadStore(f"{str(folder)!r} is no index: pellucid index IMAGES --store {folder.name} makes one")
        held = declared(folder / "plan.json")
        return cls(folder, checked(held.get("plan"), str(folder)), str(held.get("key")))

    def committed(self) -> set[int]:
        """The shards that are there."""
        names = (path.stem for path in (self.folder / "shards").glob("[0-9]*.npz"))
        return {int(name) for name in names if name.isdecimal()}

    def commit(self, shard: int, done: Done) -> None:
        """Write a shard; once this returns, it survives whatever happens. Writing it again changes nothing."""
        if self._shard(shard).exists():
            return
        about = {"plan": self.key, "shard": shard, "images": done.images, "bad": sorted(done.bad)}
        about["files"] = sorted(done.stamps)
        try:
            _disk.pack(self._shard(shard), done.parts, about)
        except PellucidError as error:
            raise PellucidError(f"{error}; what is done is kept: run the same line again to go on") from error

    def bad(self) -> tuple[tuple[int, str], ...]:
        """The images that could not be read, with their reasons."""
        if (self.folder / "current.json").is_file():
            found = self._manifest["bad"]
        else:
            found = [one for shard in self.committed() for one in _disk.about(self._shard(shard))["bad"]]
        return tuple((int(image), str(reason)) for image, reason in sorted(found))

    def changed(self, source: Source) -> dict[int, list[int]]:
        """Shard -> its images that are others by now, of those whose files can be looked at.

        A file of the same size and time is the same; of others the bytes decide, for a copy has another time.
        """
        found: dict[int, list[int]] = {}
        for shard in sorted(self.committed()):
            try:
                moved = [i for i, *then in _disk.about(self._shard(shard))["files"] if source.stamp(i) != tuple(then)]
                part = self.part(shard)["pictures"] if moved else {}
            except (BadStore, KeyError, TypeError, ValueError):
                continue  # damaged: `check` says so
            known = dict(zip(part["image"].tolist(), part["hash"][:, 0].tolist(), strict=True)) if moved else {}
            others = [i for i in moved if i in known and _hash(source, i) != known[i]]
            if others:
                found[shard] = others
        return found

    def part(self, shard: int) -> dict[str, Part]:
        """A shard as it was committed. Raises BadStore where its bytes have changed."""
        return self._whole(shard)[0]

    def _whole(self, shard: int) -> tuple[dict[str, Part], Mapping[str, Any]]:
        parts, about = _disk.unpack(self._shard(shard))
        return parts, self._ours(shard, about)

    def _ours(self, shard: int, about: Mapping[str, Any]) -> Mapping[str, Any]:
        if (about["plan"], about["shard"]) != (self.key, shard):
            raise BadStore(f"{self._shard(shard).name}: it was written as shard {about['shard']}, or of another index")
        return about

    def _about(self, shard: int) -> Mapping[str, Any]:
        """What a shard says of itself, all its bytes checked."""
        return self._ours(shard, _disk.about(self._shard(shard), whole=True))

    @property
    def finished(self) -> bool:
        """Whether everything is done and merged."""
        return (self.folder / "current.json").is_file() and self.current["shards"] == self.plan.shards

    def finalize(self) -> None:
        """Merge all shards into the arrays that are read, and let them be the index at one stroke."""
        made = self.folder / f"generation-{threading.get_ident()}-{_disk.mark()}.part"
        bad: list[tuple[int, str]] = []
        seen = 0

        def parts() -> Iterator[Mapping[str, Part]]:
            nonlocal seen
            for shard in sorted(self.committed()):
                part, about = self._whole(shard)
                bad.extend((image, why) for image, why in about["bad"])
                seen += about["images"]
                yield part

        try:
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            final.write(self.plan, parts(), made)
            if self.plan.images and not seen:
                reason = bad[0][1] if bad else ""
                raise BadStore(f"none of the {self.plan.images} images could be read: {reason}")
            files = {file.name: _disk.digest(file) for file in sorted(made.glob("*.npy"))}
            whole = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
            manifest = declare(made / "manifest.json", {"files": files, "bad": sorted(bad), "images": seen})
            place = self.folder / f"generation-{whole[:16]}"
            _publish(made, place, files)
        except OSError as error:
            raise PellucidError(f"cannot write the index {str(self.folder)!r}: {error.strerror}") from error
        finally:
            shutil.rmtree(made, ignore_errors=True)
        current = {"generation": place.name, "digest": whole, "shards": len(self.committed()), "manifest": manifest}
        declare(self.folder / "current.json", current)
        self._forget()
        for old in self.folder.glob("generation-*"):
            if old != place and (old.suffix != ".part" or _disk.abandoned(old)):
                shutil.rmtree(old, ignore_errors=True)

    @cached_property
    def current(self) -> Mapping[str, Any]:
        """Which generation is read, and the digest of everything in it."""
        if not (self.folder / "current.json").is_file():
            raise BadStore(f"{str(self.folder)!r} is not finished: run the same pellucid index line again")
        held = self._declared("current.json")
        if not re.fullmatch(r"generation-[0-9a-f]{16}", str(held.get("generation"))) or not {
            "digest", "shards", "manifest"
        } <= held.keys():  # fmt: skip
            raise BadStore(f"{str(self.folder)!r} is damaged: current.json names no generation")
        return held

    @cached_property
    def _manifest(self) -> Mapping[str, Any]:
        held = self._declared(f"{self.current['generation']}/manifest.json")
        if held["sha256"] != self.current["manifest"]:
            raise BadStore(f"{str(self.folder)!r} is damaged: manifest.json is another one's")
        bad, files = held.get("bad"), held.get("files")
        listed = isinstance(bad, list) and all(isinstance(one, list) and len(one) == 2 for one in bad)
        if not listed or not isinstance(files, dict):
            raise BadStore(f"{str(self.folder)!r} is damaged: manifest.json does not say what it should")
        return held

    def _declared(self, name: str) -> dict[str, Any]:
        try:
            return declared(self.folder / name)
        except BadStore as error:
            raise BadStore(f"{str(self.folder)!r} is damaged: {error}; {_AGAIN}") from error

    def array(self, name: str) -> NDArray[Any]:
        """One of the merged arrays, memory-mapped."""
        path = self.folder / self.current["generation"] / final.file_of(name)
        try:
            found: NDArray[Any] = np.load(_disk.regular(path), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, BadStore) as error:
            raise BadStore(f"{str(self.folder)!r} is damaged: {path.name} cannot be read: {error}; {_AGAIN}") from error
        shape = self._shapes.get(name)
        if shape is not None and not (_fits(found.shape, shape) and found.dtype.kind in "fiu"):
            raise BadStore(f"{str(self.folder)!r} is damaged: {path.name} is {found.shape}, not {shape}")
        return found

    @cached_property
    def _shapes(self) -> Mapping[str, Shape]:
        """What arrays must be, as the folds say."""
        scope, folds = self.plan.scope, self.plan.folds
        return {f"{fold.name}.{name}": shape for fold in folds for name, shape in fold.arrays(scope).items()}

    def fold(self, kind: type[Fold[Read]]) -> Fold[Read] | None:
        """The fold of that kind in the plan, with its options; None where there is none."""
        return next((fold for fold in self.plan.folds if isinstance(fold, kind)), None)

    def read(self, kind: type[Fold[Read]]) -> Read:
        """What a fold found. Raises PellucidError where the plan has none of that kind."""
        fold = self.fold(kind)
        if fold is None:
            raise PellucidError(kind.absent)
        return fold.read(Held(fold.name, self.plan.scope, self.array, str(self.folder)))

    def kept(self, name: str) -> NDArray[np.float64] | None:
        """Numbers that were measured on the finished index and kept with it; None where there are none, or damaged."""
        try:
            held = declared(self.folder / f"measured-{name}.json")
        except BadStore:
            return None
        values = held.get("values")
        if held.get("digest") != self.current["digest"] or not isinstance(values, list):
            return None
        if not all(value is None or isinstance(value, (int, float)) for value in values):
            return None
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def keep(self, name: str, values: NDArray[np.float64]) -> None:
        """Keep them, for whoever asks next; where nobody may write, they are measured again."""
        told = [None if np.isnan(value) else value for value in values.tolist()]
        with suppress(PellucidError):
            declare(self.folder / f"measured-{name}.json", {"digest": self.current["digest"], "values": told})

    def check(self) -> tuple[str, ...]:
        """What is wrong with the files: nothing, or one line for each that is not what was written."""
        wrong: list[str] = []
        self._forget()

        def tried(work: Callable[..., Any], *given: Any) -> Any:
            try:
                return work(*given)
            except BadStore as error:
                wrong.append(str(error))
                return None

        plan = tried(declared, self.folder / "plan.json")
        if plan and plan["key"] != self.key:
            wrong.append("plan.json: not what was written: it is another plan")
        for shard in sorted(self.committed()):
            tried(self._about, shard)
        made = sorted(self.folder.glob("generation-*[0-9a-f]"))
        current = None
        if (self.folder / "current.json").exists():
            current = tried(lambda: self.current) if tried(declared, self.folder / "current.json") else None
        elif made:
            wrong.append("current.json: it is missing: run the line that made the index again")
        else:
            return tuple(wrong)  # not merged yet
        read = [self.folder / current["generation"]] if current else made
        for generation in read:
            manifest = tried(declared, generation / "manifest.json")
            if manifest is None:
                wrong.append(f"{generation.name}: without its manifest nothing says what its arrays should be")
            if manifest and current and manifest["sha256"] != current["manifest"]:
                wrong.append("manifest.json: not what was written: it is another one's")
            files = (manifest or {}).get("files")
            for name, digest in (files if isinstance(files, dict) else {}).items():
                tried(_disk.check, generation / Path(name).name, digest)
        missing = set(range(self.plan.shards)) - self.committed()
        wrong += [f"{self._shard(shard).name}: it is missing" for shard in sorted(missing)[:_MANY]]
        return tuple(wrong)

    @property
    def whole(self) -> bool:
        """Whether everything is done and merged, and every array is there, by its name: `check` reads them."""
        if not self.finished:
            return False
        place = self.folder / self.current["generation"]
        return all((place / Path(name).name).is_file() for name in self._manifest["files"])

    def retry(self, source: Source | None = None) -> int:
        """Take away the shards that are damaged, or have images that could not be read or are others by now; how
        many.
        """
        others = self.changed(source) if source is not None else {}
        again = [shard for shard in self.committed() if shard in others or self._wanting(shard)]
        if again or self.check():
            (self.folder / "current.json").unlink(missing_ok=True)
        for shard in again:
            self._shard(shard).unlink(missing_ok=True)
        self._forget()
        return len(again)

    def _wanting(self, shard: int) -> bool:
        try:
            return bool(self._about(shard)["bad"])
        except BadStore:
            return True

    def _forget(self) -> None:
        """What was read of current.json may have changed."""
        for name in ("current", "_manifest"):
            self.__dict__.pop(name, None)

    def _shard(self, shard: int) -> Path:
        return self.folder / "shards" / f"{shard:06d}.npz"

    def _sweep(self) -> None:
        """Take away what writers that died left behind; whoever still writes keeps its files."""
        for left in [*self.folder.rglob(".*.part")]:
            if _disk.abandoned(left):
                with suppress(OSError):  # who may not write may still read
                    left.unlink(missing_ok=True)


def _hash(source: Source, image: int) -> int | None:
    """Of the bytes of an image as they are now; None where it cannot be read any more."""
    try:
        return source.fetch(image)[1]
    except (BadImage, OSError):
        return None


def _publish(made: Path, place: Path, files: Mapping[str, str]) -> None:
    """Put what was made where it is read; where the same is there already, and sound, it stays."""
    if place.exists():
        try:
            for name, digest in files.items():
                _disk.check(place / name, digest)
            return
        except BadStore:  # damaged
            shutil.rmtree(place, ignore_errors=True)
    try:
        made.rename(place)
    except OSError:
        if not place.exists():  # else another writer was faster, with the same
            raise


def _fits(shape: tuple[int, ...], declared: Shape) -> bool:
    return len(shape) == len(declared) and all(b in (None, a) for a, b in zip(shape, declared, strict=True))


def _differs(there: Plan, plan: Plan) -> str:
    mine, theirs = _flat(plan), _flat(there)
    names = [name for name in {**mine, **theirs} if name not in FREE and theirs.get(name) != mine.get(name)]
    without = [fold.name for fold in plan.folds if fold.name not in {one.name for one in there.folds}]
    more = f" and without {', '.join(without)}" if without else ""
    return f"other {', '.join(names)}{more}; name another --store"


def _flat(plan: Plan) -> dict[str, Any]:
    """A plan with the options of its folds as if they were its own."""
    said = plan.as_dict()
    folds = said.pop("folds")
    return {**said, **{name: value for fold in folds for name, value in fold["options"].items()}}
