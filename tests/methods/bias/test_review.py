"""The review of clusters: the same clusters, with their photos, and a page that asks nobody for anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.result import Meta, Review, ReviewedCluster
from tests.draw.test_pictures import assert_tidy
from tests.test_every_method import labeled, tiny


def test_it_shows_what_clusters_finds() -> None:
    how = {"cells": 4, "count": 12}
    review, found = pl.bias.review(tiny(), labeled(24), photos=3, **how), pl.bias.clusters(tiny(), labeled(24), **how)
    rows = found["clusters"].rows
    assert [(one.label, one.number, len(one.members)) for one in review.clusters] == [
        (row["class"], row["cluster"], row["size"]) for row in rows
    ]
    for k, row in enumerate(rows):
        shown = [review.names[i] for i in review.photos_of(k)]
        assert shown == row["examples"].split(", ")[:3][: len(shown)]
    assert np.abs(review.maps).max((1, 2)) == pytest.approx(1)


def made() -> Review:
    chance = np.random.default_rng(0)
    clusters = (
        ReviewedCluster("</script><b>horse", 2, ("a.png", "b.png"), 0.25, 1.0, 0.9, True, "pasted: +0.70"),
        ReviewedCluster("ship", 1, ("c.png",), 1.0, 0.5, 0.0, False),
    )
    return Review(
        clusters, chance.integers(0, 255, (3, 24, 24, 3), np.uint8), chance.uniform(-1, 1, (3, 4, 4)),
        chance.uniform(-1, 1, (2, 4, 4)), np.array([0, 0, 1]), ("a.png", "b.png", "c.png"), ("ship", "ship", "ship"),
        np.array([0.1, 0.2, 0.9]), ("1 of 2 clusters is suspicious",), Meta(),
    )  # fmt: skip


def test_the_page_holds_everything_and_asks_nobody(tmp_path: Path) -> None:
    page = pl.draw(made()).save(tmp_path / "review.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|src=\"|href=\"", page)
    assert "default-src 'none'" in page
    assert "@" not in re.sub(r"@media", "", page)
    inside = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert inside is not None
    data = json.loads(inside[1])
    assert [one["label"] for one in data["clusters"]] == ["</script><b>horse", "ship"]
    assert data["clusters"][0]["members"] == ["a.png", "b.png"]
    assert "<b>" not in page


def test_marks_belong_to_the_same_clusters_of_the_same_network(tmp_path: Path) -> None:
    keys = set()
    for dark in (False, True):
        page = pl.draw(made(), dark=dark).save(tmp_path / "x.html").read_text(encoding="utf-8")
        keys.add(re.search(r'"key":"(\w+)"', page)[1])
    assert len(keys) == 1


def test_the_picture_is_tidy() -> None:
    picture = pl.draw(made())
    assert_tidy(picture)
    assert "horse, cluster 2" in picture.alt


def test_an_index_stands_for_its_images(tmp_path: Path) -> None:
    """Its photos and classes are those that it was made of; one that names images elsewhere is refused."""
    pixels = (np.random.default_rng(0).random((8, 32, 32, 3)) * 255).astype(np.uint8)
    np.savez(tmp_path / "photos.npz", images=pixels, labels=np.arange(8) % 2)
    net = tiny()
    pl.units.index(net, tmp_path / "photos.npz", store=tmp_path / "x.index", count=2)
    found = pl.bias.review(net, str(tmp_path / "x.index"), cells=4)
    same = pl.bias.review(net, str(tmp_path / "photos.npz"), cells=4)
    assert np.array_equal(found.maps, same.maps)
    plan = tmp_path / "x.index" / "plan.json"
    said = json.loads(plan.read_text())
    said["plan"]["source"] = "folder:https://example.org/photos"
    plan.write_text(json.dumps(said))
    with pytest.raises(pl.PellucidError, match="not in files here: name them"):
        pl.bias.review(net, str(tmp_path / "x.index"))
    plan.unlink()
    with pytest.raises(pl.PellucidError, match=r"is no index: no plan\.json"):
        pl.bias.review(net, str(tmp_path / "x.index"))
