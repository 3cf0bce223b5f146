"""One loop over many images: any batch gives the same numbers, and what cannot be read costs itself alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid import notes, progress
from pellucid.errors import BadImage, OutOfMemory, PellucidError, UnknownName
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.images.sources import Source
from pellucid.net import Net, Preprocess, over
from tests.test_every_method import photos, state_of, tiny
from tests.test_out_of_memory import small


class Seven(Labeled):
    """Seven pictures with labels, drawn when they are asked for; `broken` cannot be read."""

    def __init__(self, broken: tuple[int, ...] = (), sizes: tuple[int, ...] = (40,)) -> None:
        self.broken, self.sizes, self.asked = broken, sizes, list[int]()

    def __len__(self) -> int:
        return 7

    def name(self, i: int) -> str:
        return f"image {i}"

    def item(self, i: int) -> tuple[Images, int]:
        self.asked.append(i)
        if i in self.broken:
            raise BadImage(f"{self.name(i)!r} is broken")
        side = self.sizes[i % len(self.sizes)]
        pixels = torch.rand(3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(i))
        return Images.from_pictures([pixels], [self.name(i)]), i % 3


def folder(root: Path, count: int = 5) -> Path:
    for i in range(count):
        values = np.random.default_rng(i).integers(0, 256, (30, 40, 3), np.uint8)
        Image.fromarray(values).save(root / f"{i}.png")
    return root


def outputs(batches: Any) -> Tensor:
    return torch.cat([batch.run.output for batch in batches])


@pytest.mark.parametrize("batch", [None, 1, 2, 3, 100])
def test_numbers_do_not_depend_on_the_batch(batch: int | None) -> None:
    net, data = tiny(), Seven()
    right = torch.cat([net.run(data.item(i)[0]).output for i in range(7)])
    batches = list(net.over(data, batch=batch))
    assert torch.allclose(outputs(batches), right, rtol=1e-12, atol=1e-14)
    assert [name for one in batches for name in one.ids] == [f"image {i}" for i in range(7)]
    assert [number for one in batches for number in one.numbers] == list(range(7))
    assert torch.cat([one.labels for one in batches]).tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert all(len(one) == len(one.views) == len(one.images) == len(one.labels) for one in batches)
    assert max(map(len, batches)) == min(batch or 7, 7)


def test_layers_gradients_rules_and_edits_are_those_of_a_run() -> None:
    net, data = tiny(), Seven()
    seen = net.prepare(data.item(6)[0]).pixels
    found = [*net.over(data, layers=["stem", "last"], batch=3)]
    assert torch.allclose(found[2].run["last"], net.run(seen, layers=["last"])["last"])
    assert found[0].run["stem"].shape[:2] == (3, 8)
    zero = [*net.over(data, edit={"head": lambda x: x * 0}, batch=4)][1].run.output
    assert not zero.any()
    for how in ({}, {"rule": pl.net.rules.Guided()}):
        *_, last = net.over(data, grad="pixels", batch=2, **how)
        run = net.run(seen, grad="pixels", **how)
        (one,) = last.run.gradients(last.run.output[:, 1].sum(), [last.run.pixels])
        (right,) = run.gradients(run.output[:, 1].sum(), [run.pixels])
        assert torch.allclose(one, right)
    (stopped,) = net.over(photos(2), layers=["stem"], stop=True)
    assert stopped.run.stopped


def test_the_gradient_of_a_mean_loss_by_the_weights() -> None:
    """What a landscape asks: the same for every cut into batches."""
    net, slopes = tiny(), []
    for batch in (1, 3, 7):
        weight = net.module.state_dict()["head.weight"].clone().requires_grad_()
        whole = torch.zeros_like(weight)
        for one in net.with_weights({"head.weight": weight}).over(Seven(), grad=True, batch=batch):
            loss = nn.functional.cross_entropy(one.run.output, one.labels, reduction="sum")
            whole += one.run.gradients(loss, [weight])[0]
        slopes.append(whole / 7)
    assert torch.allclose(slopes[0], slopes[1], rtol=1e-10)
    assert torch.allclose(slopes[0], slopes[2], rtol=1e-10)


def test_images_sources_and_what_becomes_one(tmp_path: Path) -> None:
    net, place = tiny(), folder(tmp_path)
    right = net.run(pl.read([place / f"{i}.png" for i in range(5)])).output
    given = (place, str(place), Source.of(place), pl.read(sorted(place.iterdir())), sorted(place.iterdir()))
    for data in given:
        found = net.over(data)
        assert len(found) == 5
        assert torch.allclose(outputs(found), right)
        assert all(batch.labels is None for batch in found)
    (batch,) = net.over(place / "3.png")
    assert batch.ids == ("3.png",)
    assert batch.views[0].original == (30, 40)
    classes = tmp_path / "classes"
    for name in ("cow", "dog"):
        (classes / name).mkdir(parents=True)
        folder(classes / name, 2)
    assert all(batch.labels is None for batch in net.over(classes)), "its classes are the folder's, not the network's"


def test_deep_pictures_are_read_on_the_scale_of_the_network(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32), 1000, np.uint16)).save(tmp_path / "a.png")
    net = pl.load(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten()), channels=1, value_range=(0, 2000))
    source = Source.of(tmp_path)
    (batch,) = net.over(source)
    assert float(batch.images.pixels.mean()) == pytest.approx(0.5)
    assert source.value_range is None


def test_what_cannot_be_read_is_left_out_and_said() -> None:
    data, net = Seven(broken=(1, 6)), tiny()
    batches = net.over(data, batch=2)
    with notes.collected() as said:
        found = list(batches)
    assert [one.numbers for one in found] == [(0, 2), (3, 4), (5,)]
    assert batches.unreadable == {"image 1": "'image 1' is broken", "image 6": "'image 6' is broken"}
    (note,) = said
    assert note.topic == "unreadable"
    assert note.text.startswith("2 of 7 images could not be read and are left out: image 1, image 6")
    with notes.collected() as said:
        assert sum(map(len, batches)) == 5  # once more, with nothing counted twice
    assert (len(batches.unreadable), len(said)) == (2, 1)
    with pytest.raises(BadImage, match=r"none of the 7 images can be read; the first, 'image 0'"):
        list(net.over(Seven(broken=tuple(range(7)))))


def test_pictures_of_other_sizes_go_by_themselves() -> None:
    net, data = Net(tiny().module, "free", Preprocess()), Seven(sizes=(40, 40, 48))
    found = list(net.over(data))
    assert [one.numbers for one in found] == [(0, 1), (2,), (3, 4), (5,), (6,)]
    assert torch.allclose(outputs(found)[2], net.run(data.item(2)[0]).output[0])


class Mixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).mean((2, 3))
        return x - x.mean(0)


def test_images_that_would_change_one_another_run_one_by_one() -> None:
    net = Net(Mixing(), "mixing", Preprocess())
    alone = torch.cat([net.run(Seven().item(i)[0]).output for i in range(7)])
    for batch in (None, 3):
        assert torch.allclose(outputs(net.over(Seven(), batch=batch)), alone)


def test_half_as_many_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = outputs(tiny().over(Seven()))
    for batch in (None, 5):
        net = tiny()
        net.layers((32, 32))
        asked = small(monkeypatch, 2)
        found = list(net.over(Seven(), batch=batch))
        monkeypatch.undo()
        assert torch.allclose(outputs(found), right)
        assert max(map(len, found)) <= 2
        assert sum(number > 2 for number in asked) <= 2, "it should have learned"
    net = tiny()
    net.layers((32, 32))
    before = state_of(net.module)
    small(monkeypatch, 0)
    with pytest.raises(OutOfMemory, match=r"'image 0', not even for one image at a time"):
        list(net.over(Seven()))
    assert state_of(net.module) == before


def test_large_originals_go_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over, "_ORIGINALS", 2 * 3 * 40 * 40 * 8)
    assert max(map(len, tiny().over(Seven()))) == 2


@pytest.mark.slow
def test_one_batch_is_held_at_a_time() -> None:
    net, data = tiny(), Seven()
    batches: Iterator[Any] = iter(net.cached().over(data, layers=["stem"], grad=True, batch=1))
    handed_out = [weakref.ref(next(batches).run["stem"]) for _ in range(5)]
    gc.collect()
    assert sum(one() is not None for one in handed_out) <= 1
    assert data.asked == [0, 1, 2, 3, 4, 5], "no image is read long before its turn"


def test_progress_and_an_end_in_the_middle() -> None:
    told: list[tuple[str, int, int | None]] = []
    with progress.listen(lambda *one: told.append(one)):
        list(tiny().over(Seven(), batch=3))
    assert (told[0], told[-1]) == (("images", 0, 7), ("images", 7, 7))

    class Stop(Exception):
        pass

    def stop(_what: str, done: int, _total: int | None) -> None:
        if done == 4:
            raise Stop

    seen = []
    with progress.listen(stop), pytest.raises(Stop):
        seen.extend(batch.numbers for batch in tiny().over(Seven(), batch=2))
    assert seen == [(0, 1)]


def test_what_is_no_batch_and_no_layer_is_refused() -> None:
    for batch in (0, -1, 2.5, True):
        with pytest.raises(PellucidError, match=r"batch=.*: images at once, at least 1"):
            tiny().over(photos(1), batch=batch)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="no layer 'stme'"):
        list(tiny().over(photos(1), layers=["stme"]))
    with pytest.raises(BadImage, match="there is no 'nowhere'"):
        tiny().over("nowhere")
