"""Many machines that share a folder and know nothing of one another: each does its share of the shards.

Whoever starts them says which share is whose: SLURM, Kubernetes, torchrun and batch systems do so in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pellucid.errors import PellucidError

KNOWN = (
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("SLURM_PROCID", "SLURM_NTASKS", None),
    ("RANK", "WORLD_SIZE", None),
    ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", None),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", None),
    ("SGE_TASK_ID", "SGE_TASK_LAST", "SGE_TASK_FIRST"),
)
"""(number of this one, how many, number of the first) in the environment; the first are asked first."""


def share(environment: Mapping[str, str] | None = None) -> tuple[int, int]:
    """(i, n): this process is the i-th of n. Raises PellucidError where nothing says so, or says nonsense."""
    there = os.environ if environment is None else environment
    for index, count, first in KNOWN:
        if not there.get(index, "").strip().isdecimal():
            continue
        if not there.get(count, "").isdecimal():
            raise PellucidError(f"{index}={there[index]} and no {count}: say --share {there[index]}/N for N machines")
        i, n = int(there[index]) - int(there.get(first or "", "0") or 0), int(there[count])
        if first == "SLURM_ARRAY_TASK_MIN":
            i //= int(there.get("SLURM_ARRAY_TASK_STEP", "1") or 1)
        if not 0 <= i < n:
            raise PellucidError(f"{index}={there[index]} and {count}={n} are no i-th of n: say --share I/N")
        return i, n
    asked = ", ".join(index for index, _, _ in KNOWN)
    raise PellucidError(f"which share is this machine's? say --share I/N; none of {asked} is set")
