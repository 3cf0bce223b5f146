"""What surrounds a call: how freed memory is kept, and for how long; on how many threads is multiplied."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pellucid import ambient

_MEASURED = """
import threading
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
from pellucid.ambient import one_blas_thread

def blas():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

def other():
    with one_blas_thread():
        inside.append(blas())

inside = []
assert blas() == {2}
with one_blas_thread():
    assert blas() == {1}
    with one_blas_thread():
        pass
    worker = threading.Thread(target=other)
    worker.start()
    worker.join(10)
    assert blas() == {1}
assert inside == [{1}]
assert blas() == {2}
"""


@pytest.mark.slow
def test_products_are_on_one_thread_until_the_block_ends() -> None:
    """Also where another thread enters one and leaves it in the meantime. In a process of its own, for numpy reads
    how many threads it has when it is loaded, and these tests have one."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", _MEASURED], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_outermost_block_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(ambient, "_glibc", lambda name: lambda *given: called.append((name, given)))
    with ambient.freed_memory_kept():
        with ambient.freed_memory_kept():
            inside = len(called)
        assert len(called) == inside  # the inner block neither sets nor gives back
    assert called[0] == ("mallopt", (-3, 32 << 20))
    assert called[1] == ("mallopt", (-1, 256 << 20))
    assert called[2:] == [("mallopt", (-1, 64 << 20)), ("malloc_trim", (0,))]
