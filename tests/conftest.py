"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

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
