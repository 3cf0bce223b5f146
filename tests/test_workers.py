"""A method's places shared out to workers: the same bits, whoever measured them."""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid import workers
from pellucid.catalogue.ask import Ask
from pellucid.errors import PellucidError
from pellucid.loss import points
from pellucid.result import Surface
from pellucid.sweep.runners.local import Serial
from pellucid.sweep.schedule import Lost
from pellucid.sweep.shard import Done
from pellucid.workers import Places

MODEL = """
import torch
from torch import nn

def net():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]
    return nn.Sequential(*layers)
"""
Asked = Callable[..., Surface]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A plane of a network and data that are named by text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "_parts", {})
    monkeypatch.setattr(workers, "_nouns", {})
    Path("model.py").write_text(MODEL)
    pixels = np.random.default_rng(0).integers(0, 255, (9, 8, 8, 3), np.uint8)
    np.savez("data.npz", images=pixels, labels=np.arange(9) % 3)
    torch.set_num_threads(1)

    def plane(**how: Any) -> Surface:
        nets = pl.Nets.of("model.py:net", size=8, mean=0.5, std=0.25)
        return pl.landscape.plane(nets, "data.npz", points="3:refine=1", **how)

    return plane


class Failing(Serial):
    """Its first pieces are lost, as with a worker that died."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.places = times, 0

    def result(self, handle: Any) -> Done:
        self.times -= 1
        if self.times >= 0:
            raise Lost("a worker died")
        self.places += handle.piece.stop - handle.piece.start
        return super().result(handle)


def same(one: Surface, other: Surface) -> bool:
    return np.array_equal(one.values, other.values) and np.array_equal(one.errors, other.errors)


@pytest.mark.slow
def test_whoever_measures_the_bits_are_the_same(asked: Asked) -> None:
    alone, runner = asked(), Failing(2)
    with pl.spread(runner):
        shared = asked()
    assert same(alone, shared)
    assert alone.meta == shared.meta
    ends = 2 * (2 + 4)  # of the axes and of other directions
    assert runner.places == shared.known.sum() - 1 + ends  # nothing is measured twice; the center is known before


@pytest.mark.slow
def test_what_was_found_in_other_parts_travels(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measures the ends of the axes asks the same question, and does not measure the plane again."""
    plain, measured = points.Places.at, []
    monkeypatch.setattr(points.Places, "at", lambda self, at: measured.append(at) or plain(self, at))
    asked()
    alone = len(measured)
    measured.clear()
    with pl.spread(Failing(0)):
        asked()
    assert len(measured) == alone - 1  # the center, which the grid has too, is kept


@pytest.mark.slow
def test_network_and_data_are_opened_once_for_all_parts(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    plainly, opened = Ask.opened, []
    monkeypatch.setattr(Ask, "opened", lambda self, *nouns: opened.append(self) or plainly(self, *nouns))
    with pl.spread(runner := Failing(0)):
        asked()
        Path("data.npz").touch()
        asked()
    assert len(opened) == 1
    assert runner.places > 9


@pytest.mark.slow
def test_a_file_that_changed_is_opened_again(asked: Asked) -> None:
    with pl.spread(Failing(0)):
        before = asked()
        pixels = np.random.default_rng(1).integers(0, 255, (9, 8, 8, 3), np.uint8)
        np.savez("data.npz", images=pixels, labels=np.arange(9) % 3)
        shared = asked()
    assert not same(before, shared)
    assert same(shared, asked())


@pytest.mark.slow
def test_what_is_kept_is_not_asked_for_again(asked: Asked, tmp_path: Path) -> None:
    with pl.resumable(tmp_path / "kept"):
        alone, runner = asked(), Failing(0)
        with pl.spread(runner):
            assert same(alone, asked())
    assert runner.places == 0


def test_a_worker_that_dies_each_time_is_said(asked: Asked) -> None:
    with pl.spread(Failing(99)), pytest.raises(PellucidError, match="3 workers were lost over the same places"):
        asked()


def test_what_is_in_memory_only_is_refused(asked: Asked) -> None:
    net = pl.load(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), size=8)
    with pl.spread(Serial()), pytest.raises(PellucidError, match=r"^to spread plane, its workers must open what it is"):
        pl.landscape.plane(net, "data.npz", points=3)
    with pytest.raises(PellucidError, match=r"^spread\(0\): a number of workers, 1 or more, or a runner"), pl.spread(0):
        pass


@pytest.mark.slow
def test_other_data_there_is_found_out(asked: Asked, tmp_path: Path) -> None:
    class Changed(Serial):
        def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
            pixels = np.zeros((9, 8, 8, 3), np.uint8)
            np.savez("data.npz", images=pixels, labels=np.arange(9) % 3)
            return super().wait(handles, seconds)

    with pl.spread(Changed()), pytest.raises(PellucidError, match=r"^the question has no such part here"):
        asked()


def test_what_travels_is_text() -> None:
    work = Places('{"method": "plane"}', "key", ((0.1, -1.0), (float("inf"), 0.0)))
    assert Places.from_dict(work.as_dict()) == work


@pytest.mark.slow
def test_two_processes(asked: Asked) -> None:
    alone = asked()
    with pl.spread(2):
        assert same(alone, asked())


ON_RAY = """
import numpy as np, torch
import pellucid as pl
torch.set_num_threads(1)
nets = pl.Nets.of("model.py:net", size=8, mean=0.5, std=0.25)
from ray.cluster_utils import Cluster
held = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, "num_cpus": 1})
held.add_node(num_cpus=1)
held.wait_for_nodes()
with pl.spread(2, ray=held.address):
    np.savez("shared.npz", pl.landscape.plane(nets, "data.npz", points="3:refine=1").values)
held.shutdown()
"""


@pytest.mark.slow
def test_two_nodes_of_a_ray_cluster(asked: Asked) -> None:
    pytest.importorskip("ray")
    alone = asked()
    Path("run.py").write_text(ON_RAY)
    token = {"RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_AUTH_MODE": "token", "HOME": os.getcwd()}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with (Path(tempfile.gettempdir()) / "pellucid-test-ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as in tests/sweep/test_ray.py
        said = subprocess.run(
            [sys.executable, "run.py"], env={**plain, **token}, capture_output=True, text=True, timeout=300, check=False
        )
    assert said.returncode == 0, said.stderr[-2000:]
    with np.load("shared.npz") as shared:
        assert np.array_equal(shared["arr_0"], alone.values)
