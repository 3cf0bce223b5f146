"""An index stands for the images that it was made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import BadImage
from pellucid.images.sources import Source


def index(at: Path, source: str) -> str:
    """A folder with the plan of an index, of which only the source is read here."""
    (at / "x.index").mkdir()
    (at / "x.index" / "plan.json").write_text(json.dumps({"plan": {"source": source}}))
    return str(at / "x.index")


def test_it_is_the_source_that_the_index_names(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 6, 6, 3), np.uint8)
    np.savez(tmp_path / "x.npz", images=pixels, labels=np.array([2, 0, 1, 0, 2]))
    plain = Source.of(str(tmp_path / "x.npz"))
    found = Source.of(index(tmp_path, f"arrays:{tmp_path / 'x.npz'}"))
    assert len(found) == len(plain)
    assert [found.label(i) for i in range(5)] == [plain.label(i) for i in range(5)]
    assert [found.name(i) for i in range(5)] == [plain.name(i) for i in range(5)]
    assert found.classes == plain.classes
    assert found.read(3).pictures[0].equal(plain.read(3).pictures[0])


@pytest.mark.parametrize(
    ("source", "said"), [("https://a.example/x.tar", "not in files here"), ("tar://host/x.tar", "not in files here")]
)
def test_what_an_index_names_elsewhere_is_not_opened(source: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadImage, match=said):
        len(Source.of(index(tmp_path, source)))


def test_a_folder_without_a_plan_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "x.index").mkdir()
    with pytest.raises(BadImage, match="is no index"):
        len(Source.of(str(tmp_path / "x.index")))
