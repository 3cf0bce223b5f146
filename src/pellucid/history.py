"""What a training run left behind: its checkpoints, and the numbers that it wrote down, by step."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import MissingExtra, PellucidError, unknown
from pellucid.net import Net
from pellucid.net.nets import Checkpoint, Nets, by_number, is_checkpoint
from pellucid.notes import Note
from pellucid.nouns import Noun

CHECKPOINTS = "checkpoints"
"""The folder of checkpoints within that of a run; they may also lie beside the scalars."""
_PACKED = ".parquet"
_LINE = 2**20
"""Characters of the longest line that is read."""
_STEPS = 2**63 - 1


class BadHistory(PellucidError):
    """A folder that holds no training run, or a damaged one."""

    exit_code = 3


@dataclass(frozen=True, eq=False)
class Series:
    """One number that was written down again and again."""

    steps: NDArray[np.int64]
    """(T,) increasing."""
    values: NDArray[np.float64]
    """(T,) NaN and infinity as they were written."""


@dataclass(frozen=True, eq=False)
class History(Noun):
    """The folder of a training run.

    Scalars are the lines of its `*.jsonl` files, one JSON object each: `{"step": 100, "loss": 0.31, "lr": 0.1}`, and
    the rows of `*.parquet` files with a column "step" (extra `query`), which are older than lines. A step that is
    written again (a run that was resumed) counts as it was written last. Checkpoints are files of weights
    whose names end in their step (`step_100.safetensors`, `epoch=3-step=100.ckpt`), in the folder or in `checkpoints/`.
    """

    written, format, samples = "RUN", "run", ("run/",)
    help = "folder of a training run: *.jsonl with numbers by step, and checkpoints"
    folder: Path

    @classmethod
    def of(cls, value: HistoryLike) -> History:
        """From the folder. Raises BadHistory in one line where nothing of a run is in it."""
        if isinstance(value, History):
            return value
        if not isinstance(value, (str, Path)) or not Path(value).expanduser().is_dir():
            raise BadHistory(f"no training run {str(value)!r}: name its folder, with *.jsonl and checkpoints")
        found = cls(Path(value).expanduser())
        if not (found.scalars or found.checkpoints):
            raise BadHistory(
                f"{str(value)!r} holds nothing of a training run: neither scalars (*.jsonl or *.parquet, lines of "
                '{"step": 1, "loss": 0.5}) nor checkpoints whose names end in a step'
            )
        return found

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        found = [sorted(self.folder.glob(f"*{ending}"), key=by_number) for ending in (_PACKED, ".jsonl")]
        return tuple(one for files in found for one in files if one.name[0] != ".")

    @cached_property
    def _found(self) -> tuple[dict[int, Checkpoint], tuple[str, ...]]:
        """(step -> checkpoint, in order; names of files that say no step)."""
        found: dict[int, Checkpoint] = {}
        without: list[str] = []
        for place in (self.folder, self.folder / CHECKPOINTS):
            for path in sorted(place.iterdir() if place.is_dir() else (), key=by_number):
                if not is_checkpoint(path):
                    continue
                step = re.search(r"\d+$", path.stem)
                if step is None:
                    without.append(path.name)
                elif int(step[0]) in found:
                    other = found[int(step[0])].path.name
                    raise BadHistory(f"{other!r} and {path.name!r} in {str(self.folder)!r} are both of step {step[0]}")
                else:
                    found[int(step[0])] = Checkpoint(path)
        return dict(sorted(found.items())), tuple(without)

    @property
    def checkpoints(self) -> Mapping[int, Checkpoint]:
        """Step -> file of weights, in the order of steps."""
        return self._found[0]

    @cached_property
    def _read(self) -> tuple[dict[str, Series], tuple[str, ...], tuple[str, ...]]:
        """(the series by name, what was passed over, a hash of each file)."""
        try:
            return self._scalars()
        except FileNotFoundError:  # a training that goes on has packed its lines meanwhile
            vars(self).pop("_files", None)
            return self._scalars()

    def _scalars(self) -> tuple[dict[str, Series], tuple[str, ...], tuple[str, ...]]:
        values: dict[str, dict[int, float]] = {}
        passed: dict[str, None] = {}
        digests = []
        for file in self._files:
            digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
            for step, name, value in (_rows if file.suffix == _PACKED else _lines)(file, passed):
                values.setdefault(name, {})[step] = value
        series = {}
        for name, by_step in values.items():
            steps = sorted(by_step)
            series[name] = Series(np.array(steps, np.int64), np.array([by_step[step] for step in steps], np.float64))
        return series, tuple(passed), tuple(digests)

    @property
    def scalars(self) -> Mapping[str, Series]:
        """Name -> its steps and values."""
        return self._read[0]

    def __getitem__(self, name: str) -> Series:
        """The series of that name. Raises UnknownName with the nearest."""
        if name not in self.scalars:
            raise unknown("series", name, self.scalars)
        return self.scalars[name]

    def at(self, step: int, net: Any) -> Net:
        """The network with the weights of that step. Raises UnknownName with the steps that there are."""
        if step not in self.checkpoints:
            raise unknown("checkpoint of step", str(step), map(str, self.checkpoints))
        return self.checkpoints[step].of(Net.of(net))

    def nets(self, net: Any) -> Nets:
        """All checkpoints, in the order of their steps, as weights of a network."""
        return Nets.of(list(self.checkpoints.values()), net=net)

    def __str__(self) -> str:
        return self.folder.name

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"run": str(self), "checkpoints": len(self.checkpoints), "scalars": sorted(self.scalars)}

    @property
    def identity(self) -> str:
        """The scalars' bytes as they were read; checkpoints count as equal by name, size and time."""
        return json.dumps([self._read[2], [one.stamp for one in self.checkpoints.values()]])

    def plain(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was passed over."""
        without = self._found[1]
        said = f"checkpoints without a step at the end of their name are left out: {', '.join(without[:3])}"
        return Note.many("input", (*self._read[1], *([said] if without else [])))


HistoryLike: TypeAlias = History | str | Path
"""A training run, or its folder: with *.jsonl and checkpoints."""


def _given(value: HistoryLike | Sequence[HistoryLike]) -> Any:
    """For pydantic: what a person writes becomes runs."""
    if isinstance(value, (str, Path, History)):
        return (History.of(value),)
    return (
        tuple(History.of(one) if isinstance(one, (str, Path)) else one for one in value)
        if isinstance(value, (list, tuple))
        else value
    )


RunsOption = Annotated[tuple[InstanceOf[History], ...], BeforeValidator(_given)]
"""An option that takes training runs, besides those that a method asks about."""


def _lines(file: Path, passed: dict[str, None]) -> Iterator[tuple[int, str, float]]:
    """(step, name, value) of every number in a file. A line that is cut short at its end is passed over, and noted."""
    with file.open(encoding="utf-8", errors="replace") as stream:
        number = 0
        while line := stream.readline(_LINE):
            number += 1
            whole = line.endswith("\n")
            try:
                row = json.loads(line) if line.strip() else {"step": 0}
            except (ValueError, RecursionError) as error:
                if not whole and len(line) < _LINE:  # the run was stopped while it wrote
                    passed[f"the last line of {file.name} is cut short, and is left out"] = None
                    return
                raise BadHistory(f"line {number} of {str(file)!r} is no JSON: {error}") from error
            step = row.get("step") if isinstance(row, dict) else None
            if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step <= _STEPS:
                raise BadHistory(f'line {number} of {str(file)!r} has no step: {{"step": 100, "loss": 0.31}} is a line')
            for name, value in row.items():
                if isinstance(value, (int, float)) and name != "step":
                    yield step, name, _float(value)
                elif name != "step":
                    passed[f"{name!r} in {file.name} is no number, and is left out"] = None


def _rows(file: Path, passed: dict[str, None]) -> Iterator[tuple[int, str, float]]:
    """The same of a Parquet file; a cell that is empty was not written, and NaN was. One without steps is no record."""
    pyarrow, parquet = arrow_and_parquet(str(file))
    try:
        schema = parquet.read_schema(file)
        kinds = {one.name: one.type for one in schema}
        if "step" not in kinds or not pyarrow.types.is_integer(kinds["step"]):
            passed[f"{file.name} has no column of whole numbers 'step', and is left out"] = None
            return
        fits = {name: pyarrow.types.is_floating(kind) or pyarrow.types.is_integer(kind) for name, kind in kinds.items()}
        table = parquet.read_table(file, columns=[name for name, fit in fits.items() if fit])
    except (pyarrow.ArrowException, OSError) as error:
        raise BadHistory(f"{str(file)!r} is damaged, or no Parquet: {str(error).splitlines()[0]}") from error
    columns = table.to_pydict()
    steps = columns.pop("step")
    if not all(isinstance(step, int) and 0 <= step <= _STEPS for step in steps):
        raise BadHistory(f"{str(file)!r} has rows without a step")
    passed |= dict.fromkeys(
        f"{name!r} in {file.name} is no number, and is left out" for name, fit in fits.items() if not fit
    )
    for name, values in columns.items():
        yield from ((step, name, float(v)) for step, v in zip(steps, values, strict=True) if v is not None)


def arrow_and_parquet(place: str) -> tuple[Any, Any]:
    """pyarrow and pyarrow.parquet; MissingExtra without them."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra(f"Parquet at {place!r}", "query") from error
    return pyarrow, parquet


def _float(value: float | int) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf
