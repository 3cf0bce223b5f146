"""Work that was stopped goes on, with the same bits, and what other questions have found is not theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.points import Places
from tests.loss.networks import Everything, data, net_of


def test_a_plane_that_was_killed_goes_on_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, whole, calls = net_of(Everything()), Places.at, 0
    right = pl.landscape.plane(net, data(), points=5)

    def dying(self: Places, at: tuple[float, ...]) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return whole(self, at)

    monkeypatch.setattr(Places, "at", dying)
    with pl.resumable(tmp_path / "run"), pytest.raises(KeyboardInterrupt):
        pl.landscape.plane(net, data(), points=5)
    (file,) = (tmp_path / "run").iterdir()
    file.write_bytes(file.read_bytes() + b'\n{"at": ["0x1.0p-1", "0x1')  # the power failed
    with monkeypatch.context() as patched, pl.resumable(tmp_path / "run"):
        patched.setattr("pellucid.loss.ground.of_center", lambda *_: ())  # what checks measure is not kept
        calls = 100
        found = pl.landscape.plane(net, data(), points=5)
    ends = 2 * (2 + 4)  # of the axes, and of other directions
    assert calls - 100 == 25 - 11 + ends, "only what is missing is measured"
    monkeypatch.setattr(Places, "at", whole)
    assert np.array_equal(found.values, right.values)
    with pl.resumable(tmp_path / "run"):
        other = pl.landscape.plane(net, data(), points=5, seed=1)
    assert not np.array_equal(other.values, right.values)
    assert len(list((tmp_path / "run").iterdir())) == 2 * (1 + 2 + 4), "a file for each plane and each direction"


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PellucidError, match="name a folder"), pl.resumable(tmp_path / "file"):
        pass
