"""Layers whose names no file can have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor, nn

import pellucid as pl
from pellucid.index.embedding import embedding_of
from pellucid.net import Net, Preprocess
from tests.sweep.made import photos


class Dictionary(nn.Module):
    """Its layers are called as the keys of a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({"block/1": nn.Conv2d(3, 4, 3), "50%2F/x": nn.ReLU()})
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.parts["50%2F/x"](self.parts["block/1"](x)).mean((2, 3)))


def test_a_layer_with_a_slash_is_embedded_and_read_again(tmp_path: Path) -> None:
    net = Net(Dictionary(), "dictionary", Preprocess(resize=24, crop=(24, 24)))
    folder, names = photos(tmp_path / "photos", 4), ("parts.block/1", "parts.50%2F/x")
    pl.units.index(net, folder, store=tmp_path / "x.index", layers=names, embed=names)
    index = pl.units.Index.of(tmp_path / "x.index").with_net(net)
    for name in names:
        wanted = np.stack([net.run(index.read(i), layers=[name])[name].mean((2, 3))[0].detach() for i in range(4)])
        assert np.allclose(embedding_of(index, name).values, wanted, atol=1e-3)
    assert not [
        path for path in (tmp_path / "x.index").rglob("*") if path.is_dir() and path.name.startswith("embeddings")
    ]
