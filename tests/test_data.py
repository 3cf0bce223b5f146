"""Data: images with the classes of a network, from whatever a person has, and a mismatch is one line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, SubsetRandomSampler, TensorDataset

import pellucid as pl
from pellucid import notes
from pellucid.data import Data
from pellucid.errors import PellucidError, UnknownName
from pellucid.images import Images
from pellucid.images.sources import Source
from pellucid.net import Labels, Net
from pellucid.notes import Note
from tests.test_every_method import tiny

NAMES = ("cat", "dog", "cow")


def pixels(i: int) -> np.ndarray:
    """(32, 32, 3)"""
    return np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)


def folder(root: Path, names: tuple[str, ...] = NAMES, count: int = 9) -> Path:
    for i in range(count):
        home = root / names[i % len(names)]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(i)).save(home / f"{i}.png")
    return root


def stacked(count: int = 9) -> Tensor:
    """(N, 3, 32, 32) floats in 0..1"""
    return torch.stack([torch.from_numpy(pixels(i)).permute(2, 0, 1).float() / 255 for i in range(count)])


def answers(net: Net, data: Any) -> dict[int, Tensor]:
    """The network's output for each image, by what the image shows: its label and its numbers, in any order."""
    return {int(n): row for batch in net.over(data) for n, row in zip(batch.numbers, batch.run.output, strict=True)}


def labels(net: Net, data: Any) -> list[int]:
    return [int(label) for batch in net.over(data) for label in batch.labels]


class Squares(Dataset):  # type: ignore[type-arg]
    """A map-style data set as people write it."""

    classes: ClassVar[tuple[str, ...] | list[str]] = ["cat", "dog", "cow"]

    def __init__(self, normal: bool = False, count: int = 9) -> None:
        self.normal, self.count, self.asked = normal, count, list[int]()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        self.asked.append(i)
        values = stacked()[i]
        if self.normal:
            values = (values - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / 0.2
        return values, i % 3


class Numbered(Squares):
    classes = ()


# ------------------------------------------------------------------------------------------------------------- sources


def test_every_source_gives_the_same_images_and_labels(tmp_path: Path) -> None:
    net = tiny()
    place = folder(tmp_path / "folder")
    order = [3 * k + c for c in (0, 2, 1) for k in range(3)]  # cat, cow, dog: by name
    right = net.run(net.prepare(Images.from_pictures(list(stacked()), [str(i) for i in range(9)]))).output
    by_name = [i % 3 for i in order]
    for value in (place, str(place), Source.of(place), Data.of(place), f"folder:{place}"):
        assert labels(net, Data.of(value)) == by_name
        found = answers(net, Data.of(value))
        assert torch.allclose(torch.stack([found[k] for k in range(9)]), right[order], atol=1e-6)
    np.savez(tmp_path / "x.npz", images=np.stack([pixels(i) for i in range(9)]), labels=np.arange(9) % 3)
    numbers, words = torch.arange(9) % 3, [NAMES[i % 3] for i in range(9)]
    eight = np.stack([pixels(i) for i in range(9)])
    photos = pl.read(list(eight))
    normal = (stacked() - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / 0.2
    given: list[tuple[Any, dict[str, Any]]] = [
        (tmp_path / "x.npz", {}),
        ((stacked(), numbers), {}),
        ((stacked().numpy(), numbers.numpy()), {}),
        ((list(stacked()), words), {}),
        ((eight, words), {}),
        ((photos, words), {}),
        (([Image.fromarray(one) for one in eight], words), {}),
        ((255 * stacked(), numbers), {"pixels": "0..255"}),
        ((eight.astype(np.int64), numbers), {"pixels": "0..255"}),
        ((normal, numbers), {"pixels": "normalized"}),
        (Squares(), {}),
        (Squares(normal=True), {"pixels": "normalized"}),
        (DataLoader(Squares(normal=True), batch_size=4), {"pixels": "normalized"}),
        (DataLoader(TensorDataset(stacked(), numbers), batch_size=4, drop_last=True), {}),
        ([(one, int(n)) for one, n in zip(stacked(), numbers, strict=True)], {}),
    ]
    for value, how in given:
        data = Data.of(value, **how)
        assert labels(net, data) == [i % 3 for i in range(9)], value
        found = answers(net, data)
        assert torch.allclose(torch.stack([found[k] for k in range(9)]), right, atol=1e-5), value
    assert data.on(net).labels.tolist() == [i % 3 for i in range(9)]


def test_labels_csv_and_images_without_a_class(tmp_path: Path) -> None:
    for i in range(4):
        Image.fromarray(pixels(i)).save(tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("0.png,cow\n2.png,cat\n3.png,dog\n")
    data = Data.of(tmp_path).on(tiny())
    assert data.labels.tolist() == [2, 0, 1]
    assert [data.name(i) for i in range(3)] == ["0.png", "2.png", "3.png"]
    assert "1 of 4 images have no class" in " ".join(map(str, data.notes))


def test_an_item_of_a_program_is_read_when_it_is_its_turn() -> None:
    squares = Squares()
    data = Data.of(squares)
    assert squares.asked == []
    found = data.on(tiny())
    assert len(squares.asked) <= 3
    squares.asked.clear()
    for _ in tiny().over(found, batch=2):
        pass
    assert squares.asked == list(range(9))


def test_items_by_name_and_what_a_loader_makes_of_them() -> None:
    net = tiny()
    by_name = [{"image": one, "label": i % 3} for i, one in enumerate(stacked())]

    class Rows:  # as Hugging Face's: no class of torch
        def __len__(self) -> int:
            return 9

        def __getitem__(self, i: int) -> Any:
            return by_name[i]

    assert labels(net, Data.of(Rows())) == [i % 3 for i in range(9)]
    assert labels(net, Data.of(DataLoader(Rows(), batch_size=2))) == [i % 3 for i in range(9)]  # type: ignore[arg-type]

    def collate(items: list[Any]) -> Any:
        images, found = zip(*items, strict=True)
        return torch.stack(images).flip(-1), torch.tensor(found)

    flipped = Data.of(DataLoader(Squares(), batch_size=4, collate_fn=collate))
    right = answers(net, Data.of((stacked().flip(-1), torch.arange(9) % 3)))
    found = answers(net, flipped)
    assert all(torch.allclose(found[k], right[k]) for k in range(9))


def test_a_loader_that_shuffles_is_read_in_the_order_of_its_data_set() -> None:
    data = Data.of(DataLoader(Squares(), shuffle=True))
    assert labels(tiny(), data) == [i % 3 for i in range(9)]
    order = "the order of the RandomSampler is not followed: images come in that of the data set"
    assert data.notes == (Note("input", order),)
    some = Data.of(DataLoader(Squares(), sampler=SubsetRandomSampler([7, 1, 4])))
    assert labels(tiny(), some) == [1, 1, 1]
    assert labels(tiny(), Data.of(Subset(Squares(), [2, 3]))) == [2, 0]

    class Stream(IterableDataset):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            yield from ()

    for value in (Stream(), DataLoader(Stream())):
        with pytest.raises(PellucidError, match="IterableDataset"):
            Data.of(value)


def test_random_transforms_are_the_same_each_time_and_leave_the_generators() -> None:
    class Noisy(Squares):
        def __getitem__(self, i: int) -> Any:
            noise = torch.rand(3, 32, 32) / 4 + random.random() / 8 + np.random.rand() / 8  # noqa: NPY002
            return (stacked()[i] / 2 + noise).clamp(0, 1), i % 3

    before = torch.get_rng_state(), random.getstate(), str(np.random.get_state())  # noqa: NPY002
    net, data = tiny(), Data.of(Noisy())
    one, other = answers(net, data), answers(net, data.shuffled(1))
    after = torch.get_rng_state(), random.getstate(), str(np.random.get_state())  # noqa: NPY002
    chosen = data.shuffled(1)._chosen
    assert all(torch.allclose(other[k], one[int(chosen[k])]) for k in range(9))
    assert not torch.allclose(one[0], one[3])
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


# -------------------------------------------------------------------------------------------------------------- pixels


@pytest.mark.parametrize("make", [lambda: Squares(normal=True), lambda: DataLoader(Squares(normal=True))])
def test_normalized_images_that_nobody_declared_are_refused(make: Any) -> None:
    data = Data.of(make())
    words = r"'0' of .* has numbers from -2.5 to 3.5, outside 0 to 1: say pixels='normalized'"
    with pytest.raises(PellucidError, match=words):
        data.on(tiny())
    with pytest.raises(PellucidError, match="say pixels='normalized'"):
        list(tiny().over(data))


def test_scales_that_are_not_those_said() -> None:
    net, numbers = tiny(), torch.arange(9) % 3
    cases: list[tuple[Any, str | None, str]] = [
        (255 * stacked(), None, r"outside 0 to 1: say pixels='normalized' .*, or pixels='0\.\.255'"),
        (stacked() * 3 - 1, "0..1", r"outside 0 to 1: not 0\.\.1 then"),
        (300 * stacked(), "0..255", r"outside 0 to 1: not 0\.\.255 then"),
        (8 * stacked(), "normalized", r"normalized by another mean and std: say which, load"),
        ((255 * stacked()).byte(), "normalized", r"whole numbers \(torch.uint8\), which are not normalized"),
        ((255 * stacked()).byte(), "0..1", r"whole numbers \(torch.uint8\), which are not 0\.\.1"),
    ]
    for images, said, words in cases:
        with pytest.raises(PellucidError, match=words):
            list(net.over(Data.of((images, numbers), pixels=said)))  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match=r"no scale of pixels '0-1'; nearest of 3: 0\.\.1"):
        Data.of((stacked(), numbers), pixels="0-1")  # type: ignore[arg-type]
    broken = stacked()
    broken[4] = float("nan")
    with notes.collected() as said:
        assert len(labels(net, Data.of((broken, numbers)))) == 8
    assert "1 of 9 images could not be read" in " ".join(map(str, said))


def test_a_file_of_floats_has_a_scale_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=(255 * stacked()).numpy(), labels=np.arange(9) % 3)
    right = answers(tiny(), Data.of((stacked(), np.arange(9) % 3)))
    found = answers(tiny(), Data.of(tmp_path / "x.npz", pixels="0..255"))
    assert all(torch.allclose(found[k], right[k], atol=1e-6) for k in range(9))
    with pytest.raises(PellucidError, match=r"pixels='0\.\.255'"):
        list(tiny().over(Data.of(tmp_path / "x.npz")))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_normalized_images_of_any_type_of_float(kind: torch.dtype) -> None:
    normal = (stacked().clamp(0, 1) - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / 0.2
    data = Data.of((normal.to(kind), torch.arange(9) % 3), pixels="normalized")
    (batch,) = tiny().over(data)
    assert torch.allclose(batch.images.pixels.float(), stacked(), atol=1e-2)
    assert batch.images.pixels.min() >= 0
    assert batch.images.pixels.max() <= 1


def test_arrays_that_are_read_only_big_endian_or_empty(tmp_path: Path) -> None:
    right = answers(tiny(), Data.of((stacked(), np.arange(9) % 3)))
    np.save(tmp_path / "x.npy", stacked().numpy().astype(">f4"))
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = answers(tiny(), Data.of((held, np.arange(9) % 3)))
    assert all(torch.allclose(found[k], right[k]) for k in range(9))
    with pytest.raises(PellucidError, match=r"none of the 2 images can be read.* holds no pixels"):
        list(tiny().over(Data.of((np.zeros((2, 3, 0, 4), np.float32), [0, 1]))))


def test_images_that_a_loader_has_cut_are_not_cut_again() -> None:
    net = tiny()
    wide = net.preprocess
    net = replace(net, preprocess=replace(wide, resize=40))  # an image of 32 would be enlarged to 40 and cut to 32
    (batch,) = net.over(Data.of((stacked(), torch.arange(9) % 3)))
    assert torch.allclose(batch.images.pixels, stacked())
    (cut,) = net.over(Data.of((pl.read(list(stacked())), torch.arange(9) % 3)))
    assert not torch.allclose(cut.images.pixels, stacked())
    larger = torch.nn.functional.interpolate(stacked(), 48)
    (batch,) = net.over(Data.of((larger, torch.arange(9) % 3)))
    assert batch.images.pixels.shape[-1] == 32


# -------------------------------------------------------------------------------------------------------------- labels


def called(*names: str) -> Net:
    return replace(tiny(), labels=Labels.plain(list(names)))


def test_classes_by_name_number_id_and_statement(tmp_path: Path) -> None:
    place = folder(tmp_path / "a", ("Hot_Dog", "ice-cream", "tench"))
    net = called("hot dog", "Ice Cream", "tench, Tinca tinca")
    assert labels(net, Data.of(place)) == [0] * 3 + [1] * 3 + [2] * 3
    ids = folder(tmp_path / "ids", ("n01440764", "n00000007", "n00000009"))
    known = Labels((("x",), ("y",), ("z",)), ("n00000009", "n01440764", "n00000007"))
    assert labels(replace(tiny(), labels=known), Data.of(ids)) == [2] * 3 + [0] * 3 + [1] * 3
    plain = replace(tiny(), labels=None)
    digits = folder(tmp_path / "digits", ("2", "0"))
    assert labels(plain, Data.of(digits)) == [0] * 4 + [2] * 5
    zoo = folder(tmp_path / "zoo", ("kitten", "puppy"))
    for stated in ({"kitten": "cat", "puppy": "dog"}, {"kitten": 0, "puppy": 1}, ["cat", "dog"], [0, 1], {0: 0, 1: 1}):
        assert labels(tiny(), Data.of(zoo, classes=stated)) == [0] * 5 + [1] * 4
    assert labels(tiny(), Data.of(folder(tmp_path / "b"), classes={"cat": "cow"})) == [2] * 6 + [1] * 3
    left = Data.of(zoo, classes={"kitten": None, "puppy": "dog"})
    assert labels(tiny(), left) == [1] * 4
    assert labels(tiny(), Data.of(Numbered(), classes={0: "cow", 2: "cat"})) == [2, 1, 0] * 3


def test_a_name_that_is_a_number_is_a_name_first() -> None:
    data = Data.of((stacked(), ["1", "2", "0"] * 3))
    assert labels(called("2", "1", "0"), data) == [1, 0, 2] * 3


def test_what_fits_no_class_is_refused_by_the_first_offender(tmp_path: Path) -> None:
    net, numbers = tiny(), torch.arange(9) % 3
    zoo = folder(tmp_path / "zoo", ("cat", "zebra"))
    plain = replace(net, labels=None)
    cases: list[tuple[Net, Data, str]] = [
        (net, Data.of(zoo), r"no class of tiny 'zebra'.*cat, dog, cow; say which it is, classes=\{'zebra': CLASS\} "
                            r"\('zebra/1.png' of "),
        (net, Data.of(zoo, classes={"zebra": "hors"}), r"no class 'hors'"),
        (net, Data.of((stacked(), numbers + 1)), r"numbers that begin at 1 are said by classes=\{i \+ 1: i for i in "
                                                 r"range\(3\)\} \('2' of"),
        (net, Data.of((stacked(), numbers * 4)), r"class 4 is none of tiny, which has 3 \(0 to 2\)"),
        (plain, Data.of(zoo), r"class 'cat': tiny has no labels, load\(\.\.\., labels=\)"),
        (plain, Data.of((stacked(), numbers + 2)), r"class 3 is none of tiny, which has 3"),
        (net, Data.of(zoo, classes=["cat"]), r"classes= has 1 entries, .*zoo has 2 classes"),
        (called("A b", "a_b", "c"), Data.of((stacked(), ["a-b"] * 9)), r"2 classes of tiny are called 'a-b', 0, 1"),
        (net, Data.of(Numbered(), classes={0: None}), r"too late to leave it out"),
    ]  # fmt: skip
    for one, data, words in cases:
        with pytest.raises(PellucidError, match=words) as caught:
            data.on(one)
        assert "\n" not in str(caught.value)
        with pytest.raises(PellucidError, match=words):
            list(one.over(data))
    shifted = Data.of((stacked(), numbers + 1), classes={i + 1: i for i in range(3)})
    assert labels(net, shifted) == numbers.tolist()


def test_what_is_no_data_is_refused() -> None:
    class Lone(Squares):
        def __getitem__(self, i: int) -> Any:
            return stacked()[i]

    hot = torch.eye(3)[torch.arange(9) % 3]
    cases: list[tuple[Any, str]] = [
        (stacked(), "Tensor alone has no labels: data is a folder"),
        (5, "no data in a int"),
        ((stacked(), [0, 1]), "9 images and 2 labels"),
        ((stacked(), hot), r"of one-hot rows pass labels\.argmax\(1\)"),
        ({"folder": "x"}, "data is written as"),
        ([], "no data in a list"),
    ]
    for value, words in cases:
        with pytest.raises(PellucidError, match=words):
            Data.of(value)
    for data in (Data.of(Lone()), Data.of([(one, row) for one, row in zip(stacked(), hot, strict=True)])):
        with pytest.raises(PellucidError, match=r"is no \(image, label\)|is a list, no number of a class"):
            data.on(tiny())


def test_a_folder_without_classes_is_no_data(tmp_path: Path) -> None:
    Image.fromarray(pixels(0)).save(tmp_path / "x.png")
    with pytest.raises(PellucidError, match="has no classes, so its images have no labels: data is a folder of class"):
        Data.of(tmp_path).on(tiny())


# --------------------------------------------------------------------------------------------------- order and identity


def test_orders_and_parts(tmp_path: Path) -> None:
    data = Data.of(folder(tmp_path))
    names = [data.name(i) for i in range(9)]
    assert names == sorted(names)
    shuffled = Data.of(tmp_path, seed=4)
    mixed = [shuffled.name(i) for i in range(9)]
    assert mixed != names
    assert sorted(mixed) == names
    assert [Data.of(tmp_path).shuffled(4).name(i) for i in range(9)] == mixed
    some = data.subset(4, seed=1)
    chosen = [some.name(i) for i in range(4)]
    assert chosen == sorted(chosen)
    assert [data.subset(4, seed=2).name(i) for i in range(4)] != chosen
    assert [data.part(2, 5).name(i) for i in range(3)] == names[2:5]
    assert [shuffled.subset(3).name(i) for i in range(3)] == mixed[:3]
    assert len(data.subset(100)) == 9
    assert labels(tiny(), shuffled) == [NAMES.index(name.partition("/")[0]) for name in mixed]
    assert shuffled.subset(3).order == "in the order of the source, shuffled (seed 4), 0 to 3"
    for wrong in (lambda: data.subset(0), lambda: data.part(3, 3)):
        with pytest.raises(PellucidError, match=r"subset\(0\)|part\(3, 3\)"):
            wrong()


def test_identity_facts_and_json(tmp_path: Path) -> None:
    place = folder(tmp_path / "x")
    data, numbers = Data.of(place), torch.arange(9) % 3
    other = stacked()
    other[8, 0, 0, 0] += 0.01
    several = [
        data, Data.of(place, seed=1), data.subset(4), data.subset(4, seed=1), Data.of(place, classes={"cat": "cow"}),
        Data.of((stacked(), numbers)), Data.of((other, numbers)), Data.of((stacked(), (numbers + 1) % 3)),
        Data.of((stacked(), numbers), pixels="0..1"), Data.of(Squares()), Data.of(Squares()),
    ]  # fmt: skip
    assert len({one.identity for one in several}) == len(several)
    assert Data.of(place).identity == data.identity == data.on(tiny()).identity
    assert Data.of((stacked(), numbers)).identity == several[5].identity
    before = data.identity
    Image.fromarray(pixels(99)).save(place / "cat" / "0.png")
    assert Data.of(place).identity != before, "another file under the same name"
    for one in several[:5]:
        again = Data.of(json.loads(json.dumps(one.plain())))
        assert again.identity == one.identity or one is data
        assert again.facts() == json.loads(json.dumps(one.facts()))
    assert data.plain() == f"folder:{place}"
    assert several[3].facts()["count"] == 4
    for one in several[5:]:
        with pytest.raises(PellucidError, match="is in memory only: name it by text"):
            one.plain()


def test_bound_to_a_network_once_for_all_its_checkpoints(tmp_path: Path) -> None:
    net = tiny()
    data = Data.of(folder(tmp_path)).on(net)
    assert data.on(net.with_weights({"head.bias": torch.zeros(3, dtype=torch.float64)})) is data
    assert data.on(called("cow", "cat", "dog")).labels.tolist() == [1] * 3 + [0] * 3 + [2] * 3
    assert Data.made(tmp_path, net).labels.tolist() == data.labels.tolist()
    assert Data.made(tmp_path, None).net is None


def test_mean_loss_is_that_of_a_bare_loop(tmp_path: Path) -> None:
    net, data = tiny(), Data.of(folder(tmp_path), seed=2)
    bare = 0.0
    for i in range(9):
        image, label = data.on(net).item(i)
        bare += float(torch.nn.functional.cross_entropy(net.run(image).output, torch.tensor([label])))
    for batch in (None, 2, 4):
        total, count = 0.0, 0
        for one in net.over(data, batch=batch):
            total += float(torch.nn.functional.cross_entropy(one.run.output, one.labels, reduction="sum"))
            count += len(one)
        assert count == 9
        assert total / count == pytest.approx(bare / 9, rel=1e-12)


@pytest.mark.slow
def test_torch_data_is_not_imported_for_it() -> None:
    code = (
        "import sys, pellucid.images.sources.items as n\n"
        "sys.modules.pop('torch.utils.data', None)\n"
        "print(n.is_torch(3, 'DataLoader'), 'torch.utils.data' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False False\n"
