"""Maps of an index: pictures lie with those of their color, new ones too, and nothing on the map moves."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import MissingExtra, PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.net import Labels, Net, Preprocess
from pellucid.sweep import Serial, swept


class ColorSelectivity(nn.Module):
    """Its one layer hands on red, green, blue and three mixtures of them: what a picture's color is, it says."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 6, 1, bias=False)
        self.mix.weight.data = torch.tensor(
            [[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0], [0, 1, -1], [-1, 0, 1]]
        ).view(6, 3, 1, 1)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.mix(x).mean((2, 3)))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Sixty pictures of three colors, a little different each."""
    folder = tmp_path_factory.mktemp("colors")
    chance = np.random.default_rng(0)
    middles = np.array([[220, 30, 30], [30, 220, 30], [30, 30, 220]])
    labels = np.arange(60) % 3
    pixels = (middles[labels][:, None, None] + chance.normal(0, 12, (60, 1, 1, 3))).clip(0, 255).astype(np.uint8)
    np.savez(folder / "x.npz", images=np.broadcast_to(pixels, (60, 8, 8, 3)), labels=labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net(ColorSelectivity().eval(), "colors", Preprocess(resize=8, crop=(8, 8)), Labels.plain(["r", "g", "b"]))
    source = Source.of(folder / "x.npz")
    plan = planned(net, source, layers=("mix", "head"), embed=("mix",), count=4)
    return Index.of(swept(plan, folder / "x.index", Serial(net, source))).with_net(net)


def test_the_map_of_an_index(index: Index) -> None:
    where = pl.representation.map(index, perplexity=6)
    assert where.values.shape == (60, 2)
    assert where.labels[:3] == ("0", "1", "2")
    assert where.thumbnails.shape == (60, 64, 64, 3)
    near = np.argsort(((where.values[:, None] - where.values[None]) ** 2).sum(2), 1)[:, 1:6]
    assert (near % 3 == np.arange(60)[:, None] % 3).all(), "colors are apart"
    assert set(where.quality) == {"recall", "trust", "continuity", "rank"}
    few = pl.representation.map(index, method="pca", thumbnails=5)
    assert len(few.thumbnail_rows) == len(few.thumbnails) == 5
    assert "5 of 60 images are shown small" in few.meta.said[-1]
    with pytest.raises(PellucidError, match="no embedded layer 'head'"):
        pl.representation.map(index, layer="head")


def test_new_pictures_go_to_their_color(index: Index) -> None:
    new = [np.full((8, 8, 3), color, np.uint8) for color in ((215, 35, 28), (20, 230, 25), (35, 35, 210))]
    for how in ("tsne", "pca"):
        where = pl.representation.place(index, new, method=how, perplexity=6)
        whole = pl.representation.map(index, method=how, perplexity=6)
        assert where.reference is not None
        assert np.array_equal(where.reference.values, whole.values), "nothing on the map moved"
        near = np.argmin(((where.values[:, None] - whole.values[None]) ** 2).sum(2), 1)
        assert (near % 3).tolist() == [0, 1, 2]


def test_without_the_extra_the_line_that_helps(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, how in (("openTSNE", "tsne"), ("umap", "umap")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtra, match=r"pip install (-e )?'[^']*\[maps\]'"):
            pl.representation.map(index, method=how, seed=77)
    assert pl.representation.map(index, method="ica").values.shape == (60, 2)
