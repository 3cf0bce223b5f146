"""Answers are computed once, whatever happens to the folder that they are kept in."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.catalogue.ask import Ask
from pellucid.errors import PellucidError
from pellucid.images import Images
from tests.test_every_method import Tiny, photos, tiny

GRADIENT = Ask("gradient", {"target": "dog"})


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through the tiny network, pass by pass."""
    taken: list[int] = []
    forward: Callable[..., Any] = Tiny.forward
    monkeypatch.setattr(Tiny, "forward", lambda self, x: (taken.append(len(x)), forward(self, x))[1])
    return taken


def equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one.values, other.values)) and one.meta == other.meta and one.views == other.views


def test_an_answer_is_computed_once_and_is_the_same_after_a_restart(tmp_path: Path, passes: list[int]) -> None:
    net, images = tiny(), photos(2)
    first = pl.Store(tmp_path / "new" / "answers").answer(GRADIENT, net, images)
    assert equal(first, pl.attribution.gradient(net, images, "dog"))
    another = tiny()
    passes.clear()
    again = pl.Store(str(tmp_path / "new" / "answers")).answer(GRADIENT, another, photos(2))
    assert equal(again, first)
    assert not passes


def test_of_a_list_only_what_is_not_known_is_computed(tmp_path: Path) -> None:
    net, images, store = tiny(), photos(1), pl.Store(tmp_path)
    both = store.answer(Ask("gradient", {"target": ["dog", "cat", "dog"]}), net, images)
    assert [one.meta.target for one in both] == ["dog", "cat", "dog"]
    assert len(store) == 2
    assert equal(store.answer(GRADIENT, net, images), both[0])
    three = store.answer(Ask("gradient"), net, images, target=("cow", "cat"))
    assert len(store) == 3
    assert equal(three[1], both[1])
    assert equal(three[0], pl.attribution.gradient(net, images, "cow"))
    with pytest.raises(PellucidError, match="gradient: the list of targets is empty"):
        store.answer(Ask("gradient", {"target": []}), net, images)


def test_keys_differ_in_all_that_an_answer_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, image, store = tiny(), photos(1), pl.Store(tmp_path)
    keys = [store.key(GRADIENT, net, image), store.key(Ask("gradient", {"target": "dog"}, reduce="signed"), net, image)]
    keys += [store.key(GRADIENT, net, image, target="cat"), store.key(GRADIENT, net, photos(2)[1])]
    whole = torch.zeros(3, 40, 60, dtype=torch.uint8)
    cut = net.prepare(Images.from_pictures([whole], ["a"]))
    whole = whole.clone()
    whole[:, 0, 0] = 255  # outside of what the network sees
    keys += [store.key(GRADIENT, net, cut), store.key(GRADIENT, net, replace(cut, originals=(whole,)))]
    monkeypatch.setattr("pellucid.store.answers.versions", lambda: {"pellucid": "another"})
    keys.append(store.key(GRADIENT, net, image))
    assert len({*keys}) == len(keys) == 7
    with pytest.raises(PellucidError, match="a list of targets is 2 questions"):
        store.key(Ask("gradient", {"target": ["dog", "cat"]}), net, image)


def test_a_damaged_file_is_computed_anew(tmp_path: Path) -> None:
    net, image, store = tiny(), photos(1), pl.Store(tmp_path)
    first = store.answer(GRADIENT, net, image)
    (file,) = tmp_path.rglob("*.npz")
    for damage in (b"", file.read_bytes()[:-50], b"not an archive"):
        file.write_bytes(damage)
        assert store.get(file.stem) is None
        assert equal(store.answer(GRADIENT, net, image), first)
        assert equal(pl.open(file), first)


def test_what_was_not_read_for_longest_goes_first(tmp_path: Path) -> None:
    net, image = tiny(), photos(1)
    store = pl.Store(tmp_path)
    keys = [store.key(GRADIENT, net, image, target=target) for target in ("cat", "dog", "cow")]
    for age, target in zip((30, 20, 10), ("cat", "dog", "cow"), strict=True):
        store.answer(GRADIENT, net, image, target=target)
        key = store.key(GRADIENT, net, image, target=target)
        os.utime(tmp_path / key[:2] / f"{key}.npz", (1e9 - age, 1e9 - age))
    assert [*store] == sorted(keys)
    size = sum(file.stat().st_size for file in tmp_path.rglob("*.npz")) // 3
    assert store.get(keys[0]) is not None  # read, hence the youngest now
    small = pl.Store(tmp_path, limit=2 * size + size // 2)
    small.put("0" * 64, pl.attribution.gradient(net, image, "cow"))
    assert {*small} == {keys[0], "0" * 64}
    assert keys[1] not in small
    none = pl.Store(tmp_path, limit=0)
    assert equal(none.answer(GRADIENT, net, image), pl.attribution.gradient(net, image, "dog"))
    assert len(none) == 0


def test_what_is_no_key_or_no_folder_is_refused(tmp_path: Path) -> None:
    store = pl.Store(tmp_path)
    for key in ("", "../../x", "g" * 64, "A" * 64):
        with pytest.raises(PellucidError, match="no key"):
            store.get(key)
    (tmp_path / "file").write_text("x")
    with pytest.raises(PellucidError, match="name a folder"):
        pl.Store(tmp_path / "file")
    with pytest.raises(PellucidError, match="limit=-1"):
        pl.Store(tmp_path, limit=-1)
    assert "0 answers" in repr(store)
