"""What every test may use."""

from __future__ import annotations

import functools
import gc
import os
import re
import warnings
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is loaded: threads that wait sleep, not spin
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is: small products take longer by two threads

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Data that is too large for the repository; it lies beside the checkout, where it lies at all."""


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """shared("data/weights/x.th"): that file or folder, or the test is skipped by its name."""

    def find(path: str) -> Path:
        if not (SHARED / path).exists():
            pytest.skip(f"no shared/{path} beside the checkout")
        return SHARED / path

    return find


TOGETHER = {
    "tests/net/test_load.py",  # the zoos take seconds to import
    "tests/test_house.py",  # the whole source is parsed
}
"""Files whose tests one process runs, besides those with a fixture for a whole module."""
OF_METHODS = re.compile(
    r"tests/(test_every_method|test_ask|test_cli|test_devices|result/test_\w+)\.py::.*\[(?:.*-)?([a-z_0-9]+)\]$"
)
"""Tests about one method each, which share its answer: one process runs all about the same one."""

WHOLLY_SLOW = re.compile(r"^pytestmark = .*\bmark\.slow\b", re.MULTILINE)


@functools.cache
def _runs_together(file: str) -> bool:
    return file in TOGETHER or 'scope="module"' in (Path(__file__).parents[1] / file).read_text(encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What is made once for many tests is made in one process, not in each.

    In place of `xdist_group`, which has no effect with pytest 9.2 and xdist 3.8: the mark is not in the name any more.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    slow = config.getvalue("markexpr") == "slow"
    from xdist.scheduler import LoadGroupScheduling

    class Together(LoadGroupScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            if found := OF_METHODS.match(nodeid):
                return found[2]
            file = nodeid.partition("::")[0]
            if slow:  # they are few and long: any process takes any of them
                return file if file == "tests/layout/test_layout.py" else nodeid  # UMAP is compiled for 15 s
            if file in ("tests/web/test_serve.py", "tests/web/test_hostile.py"):
                return "web"  # one server for all of them
            return file if _runs_together(file) else nodeid

    return Together(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files that are slow as a whole are not read for the fast tests: what they compare with takes long to import."""
    if config.getvalue("markexpr") == "not slow" and collection_path.match("test_*.py"):
        return bool(WHOLLY_SLOW.search(collection_path.read_text(encoding="utf-8"))) or None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The modules and the thousands of tests in them stay: the collector need not walk them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small networks gain nothing from more, and on a busy machine threads that wait for one another cost much."""
    import torch

    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # for child processes


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """A network that a test makes has the same weights, whichever tests ran before and in whichever process."""
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """No test reads or writes the caches of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints are opened in this process, by the function that the child calls.

    For tests of what is made of the weights: a child imports torch, which costs seconds. That files are opened in
    a child, and what it may do, is tested in `net/test_checkpoint.py`.
    """
    from safetensors.torch import save_file

    from pellucid.net import sandbox

    def answers(paths: Sequence[Path], folder: Path) -> list[Path | str]:
        made: list[Path | str] = []
        for i, path in enumerate(paths):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # nobody sees those of the child
                    save_file(sandbox.tensors_of(str(path), path.stat().st_size), folder / f"{i}.safetensors")
                made.append(folder / f"{i}.safetensors")
            except sandbox.Refusal as error:
                made.append(str(error))
        return made

    monkeypatch.setattr("pellucid.net.checkpoint._in_child", answers)
