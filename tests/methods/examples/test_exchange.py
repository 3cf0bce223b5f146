"""Exchange of regions: what is told of it, which photo of an index is taken, and questions without an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.index import Index
from tests.saliency.test_exchange import NAMES, averaged, pairs, photo


def one_pair() -> tuple[pl.Net, Images, Images]:
    net, one, two, _ = pairs(4)[0]
    return net, one, two


def test_what_is_told_is_what_the_network_says() -> None:
    net, one, two = one_pair()
    found = pl.examples.exchange(net, one + two)
    (first, other) = (net.top(each, 4) for each in (one, two))
    assert found.answers == (first[0].label,)
    assert found.wanted == (other[0].label,)
    chances = {guess.label: guess.probability for guess in first}
    assert found.values[0][0].tolist() == pytest.approx([chances[found.answers[0]], chances[found.wanted[0]]])
    assert len(found.values[0]) == len(found.boxes[0]) + 1 == found.counts[0] + 1
    assert found.reached == (True,)
    assert found.values[0][-1, 1] > found.values[0][-1, 0]
    pasted = net.top(Images.of(np.asarray(found.pasted[0])), 4)
    assert found.pasted_answers[0] == pasted[0].label
    assert found.random.shape == (1, 20)
    assert np.median(found.random) >= found.counts[0]
    assert found.meta.layer == "act"
    assert found.findings[0].startswith(f"{found.counts[0]} of 36 regions")


def test_the_last_of_several_is_exchanged_with_all_others() -> None:
    net, one, two = one_pair()
    found = pl.examples.exchange(net, one + photo(50) + two)
    assert found.names == (one.ids[0], "photo 50")
    assert {*found.distractor_names} == {two.ids[0]}
    alone = pl.examples.exchange(net, one + two)
    assert np.array_equal(found[0].values[0], alone.values[0])
    assert len(found[1]) == 1


def test_a_class_may_be_named_and_may_be_there_already() -> None:
    net, one, two = one_pair()
    third = net.top(one, 4)[2].label
    found = pl.examples.exchange(net, one + two, new_class=third)
    assert found.wanted == (third,)
    same = pl.examples.exchange(net, one + two, new_class=net.top(one, 1)[0].label)
    assert same.counts == (0,)
    assert "nothing is exchanged" in same.findings[0]
    assert not same.random.any()


def indexed(folder: Path) -> tuple[pl.Net, Index]:
    """Eight photos with the answers of the network as their classes, but for one, whose class is another."""
    net = averaged(4)
    images = [photo(seed) for seed in range(24)]
    answers = [NAMES.index(net.top(one, 1)[0].label) for one in images]
    labels = [*answers[:-1], (answers[-1] + 1) % 4]
    pixels = np.stack([one.pictures[0].movedim(0, 2).numpy() for one in images])
    np.savez(folder / "photos.npz", images=pixels, labels=np.array(labels))
    pl.units.index(net, folder / "photos.npz", store=folder / "x.index", count=4, embed=("act",))
    return net, Index.of(folder / "x.index").with_net(net)


def test_of_an_index_the_nearest_photo_that_is_answered_right_is_taken(tmp_path: Path) -> None:
    net, index = indexed(tmp_path)
    query = photo(77)
    guesses = net.top(query, 4)
    rows = index["act"].embedding[1].astype(np.float64)
    asked = np.asarray(net.run(net.prepare(query), layers=["act"])["act"].mean((2, 3))[0].detach())
    center = rows.mean(0)
    cosines = ((rows - center) @ (asked - center)) / np.linalg.norm(rows - center, axis=1)
    answers = [net.top(photo(seed), 1)[0].label for seed in range(23)]  # the last has another class
    wanted = next(guess.label for guess in guesses[1:] if guess.label in answers)
    found = pl.examples.exchange(net, query, index=index)
    assert (found.answers[0], found.wanted[0]) == (guesses[0].label, wanted)
    best = max((i for i in range(23) if answers[i] == wanted), key=lambda i: cosines[i])
    assert found.distractor_names[0] == index.names(np.arange(24))[best]
    missing = next((name for name in NAMES if name not in answers), None)
    if missing is not None:
        with pytest.raises(Refused, match=f"no photo of '{missing}'"):
            pl.examples.exchange(net, query, index=index, new_class=missing)


def test_bad_questions(tmp_path: Path) -> None:
    net, one, two = one_pair()
    with pytest.raises(PellucidError, match="1 image: name a second one"):
        pl.examples.exchange(net, one)
    with pytest.raises(UnknownName, match="'wulf'"):
        pl.examples.exchange(net, one + two, new_class="wulf")
    with pytest.raises(PellucidError, match="'axt'"):
        pl.examples.exchange(net, one + two, layer="axt")
    with pytest.raises(PellucidError, match=r"no\.index"):
        pl.examples.exchange(net, one, index=str(tmp_path / "no.index"))
    with pytest.raises(Refused, match="places"):
        pl.examples.exchange(net, one + two, layer="head")
