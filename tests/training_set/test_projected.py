"""TRAK: gradients of a whole network, projected at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.net import Net
from pellucid.rng import generator
from pellucid.training_set import projected
from pellucid.training_set.cases import Asked
from pellucid.training_set.examples import examples_of
from pellucid.training_set.projected import SEED, WIDTH, Projected, by_trak
from tests.methods.examples.test_influence import checkpoints
from tests.test_every_method import photos, tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("trak")
    pixels = np.random.default_rng(2).integers(0, 256, (9, 6, 6, 3), np.uint8).repeat(6, 1).repeat(6, 2)
    np.savez(found / "x.npz", images=pixels, labels=np.arange(9) % 3)
    pl.units.index(tiny(), found / "x.npz", store=found / "x.index", count=4, embed=("relu",))
    return found


def opened(folder: Path) -> Index:
    return Index.of(str(folder / "x.index")).with_net(tiny())


def slope(net: Net, image: pl.Images, label: int) -> tuple[list[np.ndarray], float]:
    """(gradient of log p / (1 − p) by every weight, p), by hand."""
    weights = [p for p in net.module.parameters() if p.requires_grad or p.is_floating_point()]
    for p in weights:
        p.requires_grad_(True)
    x = net.preprocess.normalize(net.prepare(image).pixels).double()
    p = net.module.eval()(x).softmax(1)[0, label]
    return [one.numpy().ravel() for one in torch.autograd.grad((p / (1 - p)).log(), weights)], float(p.detach())


def plain(net: Net, image: pl.Images, label: int) -> tuple[np.ndarray, float]:
    """The projection, weight by weight."""
    slopes, p = slope(net, image, label)
    found = np.zeros(WIDTH)
    for k, values in enumerate(slopes):
        for where, value in zip(
            generator(SEED, "projection", k).integers(0, 2 * WIDTH, len(values)), values, strict=True
        ):
            found[where % WIDTH] += value if where < WIDTH else -value
    return found, p


@pytest.mark.slow
def test_scores_are_those_of_the_formula(folder: Path) -> None:
    index = opened(folder)
    examples = examples_of(index).labeled()
    images = photos(2)
    found = pl.examples.influence(index, images, variant="trak", damping=0.3, full=True)
    assert found.scores is not None
    rows, p = zip(*(plain(index.net, index.read(i), i % 3) for i in range(9)), strict=True)
    phi = np.stack(rows).astype(np.float32).astype(np.float64)
    moment = phi.T @ phi / 9 + 0.3 * np.eye(WIDTH)
    for k, image in enumerate(images):
        wanted, _ = plain(index.net, image, examples.classes.index(found.answers[k]))
        scores = phi @ np.linalg.solve(moment, wanted) * (1 - np.array(p)) / 9
        assert np.abs(found.scores[k] - scores).max() < 1e-5 * np.abs(scores).max()
    assert "seed 0" in " ".join(map(str, found.meta.notes))
    assert found.units[0].startswith("fall of the log odds")


def test_products_are_kept_by_the_projection(folder: Path) -> None:
    index = opened(folder)
    some = Projected(index.net, examples_of(index).labeled())
    both = [slope(index.net, index.read(i), i % 3)[0] for i in range(4)]
    g = np.stack([np.concatenate(one) for one in both])
    rows = np.concatenate([some.rows(index.read(i), [i % 3])[0] for i in range(4)])
    lengths = np.linalg.norm(g, axis=1)
    off = np.abs(rows @ rows.T - g @ g.T) / np.outer(lengths, lengths)
    assert off.max() < 5 * np.sqrt(2 / WIDTH)
    assert some.size == g.shape[1]


def test_projections_are_kept_with_the_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pl.examples.influence(opened(folder), photos(1), variant="trak", full=True)
    index, asked = opened(folder), []
    rows = Projected.rows
    monkeypatch.setattr(Projected, "rows", lambda *some: asked.append(1) or rows(*some))
    second = pl.examples.influence(index, photos(1), variant="trak", full=True)
    assert len(asked) == 1  # of the image that was asked about
    assert np.array_equal(first.scores, second.scores)


def test_of_checkpoints_it_is_the_mean(folder: Path, tmp_path: Path) -> None:
    index, history = opened(folder), checkpoints(tmp_path / "run")
    examples = examples_of(index).labeled()
    asked, classes = Asked.of(examples, photos(1)), np.array([1])
    both = by_trak(index, examples, asked, classes, 0.1, history)[0].scores
    each = []
    for step in history.checkpoints:
        own = Projected(history.at(step, index.net), examples)
        rows, p = projected._kept(index, own)
        each.append(projected._scores(rows, p, own.rows(photos(1), [1])[0], 0.1))
    assert np.allclose(both, np.mean(each, 0), atol=1e-12)
    assert not np.allclose(each[0], each[1])


def test_refusals(folder: Path, tmp_path: Path) -> None:
    for i, pixels in enumerate(np.random.default_rng(3).integers(0, 256, (6, 36, 36, 3), np.uint8)):
        place = tmp_path / "photos" / ("hut", "boat")[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i}.png")
    pl.units.index(tiny(), tmp_path / "photos", store=tmp_path / "y.index", count=4)
    index = Index.of(str(tmp_path / "y.index")).with_net(tiny())
    with pytest.raises(PellucidError, match="leave them out"):
        pl.examples.influence(index, photos(1), variant="trak", checkpoints=checkpoints(tmp_path / "run"))
    found = pl.examples.influence(index, photos(1), variant="trak")  # of the layer that was fitted
    assert found.answers[0] in ("hut", "boat")
