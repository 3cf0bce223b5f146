"""What a training run left behind: its checkpoints, and the numbers that it wrote down, by step."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError, unknown
from pellucid.net import Net
from pellucid.net.nets import Checkpoint, Nets, by_number, is_checkpoint
from pellucid.notes import Note
from pellucid.nouns import Noun

CHECKPOINTS = "checkpoints"
"""The folder of checkpoints within that of a run; they may also lie beside the scalars."""
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

    Scalars are the lines of its `*.jsonl` files, one JSON object each: `{"step": 100, "loss": 0.31, "lr": 0.1}`; a step
    that is written again (a run that was resumed) counts as it was written last. Checkpoints are files of weights
    whose names end in their step (`step_100.safetensors`, `epoch=3-step=100.ckpt`), in the folder or in `checkpoints/`.
    """

    written, format, samples = "RUN", "run", ("run/",)
    folder: Path

    @classmethod
    def of(cls, value: Any) -> History:
        """From the folder. Raises BadHistory in one line where nothing of a run is in it."""
        if isinstance(value, History):
            return value
        if not isinstance(value, (str, Path)) or not Path(value).expanduser().is_dir():
            raise BadHistory(f"no training run {str(value)!r}: name its folder, with *.jsonl and checkpoints")
        found = cls(Path(value).expanduser())
        if not (found.scalars or found.checkpoints):
            raise BadHistory(
                f"{str(value)!r} holds nothing of a training run: neither scalars (*.jsonl, lines of "
                '{"step": 1, "loss": 0.5}) nor checkpoints whose names end in a step'
            )
        return found

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        return tuple(sorted((one for one in self.folder.glob("*.jsonl") if one.name[0] != "."), key=by_number))

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
    def _read(self) -> tuple[dict[str, Series], tuple[str, ...]]:
        """(the series by name, what was passed over)."""
        values: dict[str, dict[int, float]] = {}
        passed: dict[str, None] = {}
        for file in self._files:
            for step, name, value in _lines(file, passed):
                values.setdefault(name, {})[step] = value
        series = {}
        for name, by_step in values.items():
            steps = sorted(by_step)
            series[name] = Series(np.array(steps, np.int64), np.array([by_step[step] for step in steps], np.float64))
        return series, tuple(passed)

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
        """The scalars' bytes; checkpoints count as equal by name, size and time."""
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in self._files]
        return json.dumps([digests, [one.stamp for one in self.checkpoints.values()]])

    def plain(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was passed over."""
        without = self._found[1]
        said = f"checkpoints without a step at the end of their name are left out: {', '.join(without[:3])}"
        return Note.many("input", (*self._read[1], *([said] if without else [])))


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


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf
