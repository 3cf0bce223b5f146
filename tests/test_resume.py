"""Work that was stopped goes on, with the same bits, and what other questions have found is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.points import Places
from pellucid.resume import Coordinates, Known, Measure, helped, kept, measured_at, measured_together
from tests.loss.networks import Everything, data, net_of


@pytest.mark.slow
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


def test_parts_that_are_measured_together_are_one_list_of_places(tmp_path: Path) -> None:
    """Others are asked once, for what no part knows yet; every part keeps its own, and alone it is the same."""
    asked: list[tuple[list[Coordinates], bool]] = []

    class Others:
        def measured(
            self, key: str, places: list[Coordinates], known: Known, what: str, alone: bool = False
        ) -> Iterator[tuple[Coordinates, np.ndarray]]:
            asked.append((places, alone))
            for at in reversed(places):
                yield at, np.array([at[1] ** (at[0] + 1)])

    def parts() -> list[tuple[Measure, list[Coordinates], str]]:
        return [
            (kept(lambda k=k: f"part {k}", lambda at, k=k: np.array([at[0] ** (k + 1)])), [(2.0,), (3.0,), (2.0,)], "x")
            for k in range(2)
        ]

    plainly = [[float(one[0]) for one in part] for part in measured_together(parts(), "all")]
    assert plainly == [[2, 3, 2], [4, 9, 4]]
    with pl.resumable(tmp_path):
        measured_at(*parts()[1])
        with helped(Others()):
            found = measured_together(parts(), "all")
            assert asked == [([(0.0, 2.0), (0.0, 3.0)], True)]
            assert measured_together(parts(), "all") == found
        assert len(asked) == 1, "all of it is kept"
    assert [[float(one[0]) for one in part] for part in found] == plainly
    assert len(list(tmp_path.iterdir())) == 2
