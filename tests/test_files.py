"""A file is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pellucid.errors import PellucidError
from pellucid.files import write_atomically


def test_written_whole_with_the_usual_permissions(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    plain = tmp_path / "b.bin"
    plain.write_bytes(b"")
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise error

    with pytest.raises(error):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    def full(file: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(PellucidError, match=r"cannot write '.*a\.bin': No space left on device"):
        write_atomically(tmp_path / "a.bin", full)
    with pytest.raises(PellucidError, match="No such file or directory"):
        write_atomically(tmp_path / "no" / "a.bin", lambda file: None)
    assert os.listdir(tmp_path) == []
