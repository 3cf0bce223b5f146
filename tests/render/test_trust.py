"""What a synthetic picture is worth: planted units whose answers are known, and every figure made again slowly."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid import progress
from pellucid.errors import BadImage, PellucidError, UnknownName
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.render.peers import Peers, Place
from pellucid.render.perturbations import COUNT, changed, drawn, seen_from
from pellucid.render.photos import Photos
from pellucid.render.records import Known
from pellucid.render.trust import judged, trusted, unknowns
from pellucid.result import Pictures, Trust
from pellucid.rng import generator
from pellucid.target import Channel, Direction, Energy, Logit, Neuron, Probability, Region, Target

SIDE = 32
KEY = np.random.default_rng(7).choice([-1.0, 1.0], (3, SIDE, SIDE))
"""One pattern of single pixels: what an adversarial unit waits for."""


class Planted(nn.Module):
    """`units` has four channels: red everywhere, the exact pattern KEY, blue less ten, nothing ever."""

    def __init__(self) -> None:
        super().__init__()
        self.early = nn.Conv2d(3, 2, 3, padding=1)
        self.units, self.act = nn.Identity(), nn.ReLU()
        self.head = nn.Linear(4, 3)
        with torch.no_grad():
            self.early.weight.zero_()
            self.early.bias.zero_()
            self.early.weight[0] = 1 / 27

    def forward(self, x: Tensor) -> Tensor:
        self.early(x)
        red, blue = x[:, 0].mean((1, 2)), x[:, 2].mean((1, 2))
        key = torch.relu(((x - 0.5) * torch.from_numpy(KEY).to(x)).mean((1, 2, 3)) - 0.1)
        units = self.units(torch.stack([red, key, blue - 10, 0 * red], 1)[..., None, None])
        return self.head(self.act(units).flatten(1))


def net(**how: Any) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Planted().double().eval()
    how.setdefault("preprocess", Preprocess((SIDE, SIDE), (SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3))
    return Net(module, "planted", labels=Labels.plain(["cat", "dog", "cow"]), **how)


def plain(*color: int) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (SIDE, SIDE, 3)).copy()


def key_picture() -> np.ndarray:
    return ((KEY * 0.5 + 0.5) * 255).round().astype(np.uint8).transpose(1, 2, 0)


def photos(count: int = 40, seed: int = 3) -> list[np.ndarray]:
    """Pictures of some color with some noise, of different sizes."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        size = (SIDE + 3 * (i % 4), SIDE + 5 * (i % 3), 3)
        found.append((rng.uniform(0.1, 0.8, 3) * 255 + rng.normal(0, 12, size)).clip(0, 255).astype(np.uint8))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, photo in enumerate(photos()):
        Image.fromarray(photo).save(tmp_path / f"{i:02}.png")
    return tmp_path


def told(target: Target, pictures: Sequence[np.ndarray], network: Net | None = None) -> np.ndarray:
    """The target's number of each picture, one at a time."""
    network = network or net()
    found = []
    for picture in pictures:
        seen = network.prepare(pl.read(picture))
        found.append(float(target(network.run(seen, layers=target.layers))[0]))
    return np.array(found)


# the planted truth


def test_noise_is_told_from_a_feature() -> None:
    noise, feature = judged(
        net(), np.stack([key_picture(), plain(250, 30, 30)]), [Channel("units", 1), Channel("units", 0)]
    )
    assert noise.activation == pytest.approx(0.4, abs=0.01)
    assert noise.shift_retention is not None
    assert noise.shift_retention < 0.1
    assert noise.adversarial
    assert feature.shift_retention == pytest.approx(1, abs=1e-9)
    assert feature.perturb_retention == pytest.approx(1, abs=0.02)
    assert not feature.adversarial


class Checkers(nn.Module):
    """Waits for a checkerboard of two pixels, which looks the same when it is shifted by four."""

    def forward(self, x: Tensor) -> Tensor:
        signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=x.dtype)[None, None].expand(1, 3, 2, 2)
        return torch.relu(nn.functional.conv2d(x, signs, stride=2).mean((2, 3))).expand(-1, 2)


def test_noise_with_the_period_of_the_shift_is_noise_too() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = (128 + 10 * (1 - 2 * ((y + x) % 2)))[..., None].repeat(3, -1).astype(np.uint8)
    network = Net(Checkers(), "checkers", Preprocess((SIDE, SIDE), (SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3))
    (trust,) = judged(network, picture[None], [Logit(0)])
    assert trust.shift_retention == pytest.approx(1, abs=1e-5)
    assert trust.perturb_retention is not None
    assert trust.perturb_retention < 0.2
    assert trust.adversarial


def test_noise_is_told_from_a_feature_against_photos_too(folder: Path) -> None:
    (folder / "key.png").write_bytes(png((key_picture().astype(float) * 0.5 + 64).astype(np.uint8)))
    noise, feature = judged(
        net(), np.stack([key_picture(), plain(250, 30, 30)]), [Channel("units", 1), Channel("units", 0)],
        real=Photos.of(folder),
    )  # fmt: skip
    assert noise.ratio is not None
    assert noise.ratio > 2  # a high activation alone says nothing
    assert noise.adversarial
    assert feature.ratio is not None
    assert feature.robustness == pytest.approx(feature.ratio, rel=0.02)


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


# every figure again, slowly


def test_kept_is_the_mean_share_of_the_rise_over_gray() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    target = Logit("dog") - Channel("units", 2) * 0.3
    padded = np.pad(picture, ((8, 8), (8, 8), (0, 0)), mode="reflect")
    moved = [
        padded[8 + y : 8 + y + SIDE, 8 + x : 8 + x + SIDE] for y in (-4, 0, 4) for x in (-4, 0, 4) if y or x
    ]  # fmt: skip
    whole, gray = told(target, [picture, plain(128, 128, 128)])
    expected = ((told(target, moved) - gray) / (whole - gray)).mean()
    if whole <= gray:
        target, expected = -target, expected
    assert judged(net(), picture[None], [target])[0].shift_retention == pytest.approx(expected, abs=1e-12)


def test_kept_of_a_picture_that_is_no_better_than_gray_is_unknown() -> None:
    trust = judged(net(), np.stack([plain(10, 10, 10), plain(128, 128, 128)]), [Channel("units", 0)] * 2)
    assert [one.shift_retention for one in trust] == [None, None]
    assert not trust[0].adversarial
    assert any("no more than plain gray" in note for note in unknowns(trust))


def test_ratio_ninth_and_quantile(folder: Path) -> None:
    values = np.sort(told(Channel("units", 0), photos()))[::-1]
    picture = plain(180, 0, 0)
    many = [Image.open(path) for path in sorted(folder.iterdir())] * 3  # 120: enough for a quantile
    for real, count in ((folder, 40), (many, 120)):
        (trust,) = judged(net(), picture[None], [Channel("units", 0)], real=Photos.of(real))
        best = values if count == 40 else np.repeat(values, 3)
        assert trust.real_images == count
        assert trust.offset == 0
        assert trust.best_real == pytest.approx(best[0], abs=1e-12)
        assert trust.ninth_real == pytest.approx(best[8], abs=1e-12)
        assert trust.ratio == pytest.approx(180 / 255 / best[0], abs=1e-7)
        assert trust.ninth_ratio == pytest.approx(180 / 255 / best[8], abs=1e-7)
        assert trust.quantile == (None if count == 40 else (best < 180 / 255).mean())


def test_a_unit_that_can_be_negative_counts_from_its_mean(folder: Path) -> None:
    """An offset of ten says nothing about blue: the shares are those of the unit without it."""
    values = told(Channel("units", 2), photos())
    (trust,) = judged(net(), plain(0, 0, 255)[None], [Channel("units", 2)], real=Photos.of(folder))
    assert trust.best_real is not None
    assert trust.best_real < 0
    assert trust.offset == pytest.approx(values.mean(), abs=1e-12)
    assert trust.ratio == pytest.approx((-9 - values.mean()) / (values.max() - values.mean()), abs=1e-7)
    assert trust.robustness == pytest.approx(trust.ratio, rel=0.02)


def test_few_photos_have_no_mean_to_count_from() -> None:
    """One photo is its own mean: gray stands for nothing instead."""
    few = Photos.of([Image.fromarray(plain(0, 0, 200))])
    (trust,) = judged(net(), plain(0, 0, 255)[None], [Channel("units", 2)], real=few)
    assert trust.offset == pytest.approx(128 / 255 - 10, abs=1e-7)
    assert trust.ratio == pytest.approx(127 / 72, abs=1e-6)


def test_the_best_photo_is_as_robust_as_itself(folder: Path) -> None:
    network, values = net(), told(Channel("units", 0), photos())
    best = photos()[int(values.argmax())]
    (trust,) = judged(network, best[None], [Channel("units", 0)], real=Photos.of(folder))
    assert trust.ratio == pytest.approx(1, abs=1e-12)
    assert trust.robustness == pytest.approx(1, abs=1e-12)


def test_robust_is_the_ratio_of_means_under_the_touches(folder: Path) -> None:
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    target, values = Channel("units", 0), told(Channel("units", 0), photos())
    (trust,) = judged(net(), picture[None], [target], real=Photos.of(folder))
    best = photos()[int(values.argmax())]
    best = (net().prepare(pl.read(best)).pixels[0] * 255).round().byte().permute(1, 2, 0).numpy()
    means = []
    for one in (picture, best):
        touches = [
            changed(one, drawn(generator(0, "trust", i)), generator(0, "trust", i, "noise")) for i in range(COUNT)
        ]
        means.append(told(target, touches).mean())
    assert trust.robustness == pytest.approx(means[0] / means[1], rel=1e-9)
    whole, gray = told(target, [picture, plain(128, 128, 128)])
    expected = (means[0] - gray) / (whole - gray) if whole > gray else None
    assert trust.perturb_retention == (None if expected is None else pytest.approx(expected, rel=1e-9))


@pytest.mark.parametrize("number", [0, 3])
def test_a_touch_is_a_shift_a_zoom_a_turn_noise_and_jpeg(number: int) -> None:
    """Bilinear sampling, written out; the picture's mirror image around it."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = np.stack([y * 8 % 256, x * 8 % 256, rng.integers(0, 256, (SIDE, SIDE))], -1).astype(np.uint8)
    down, across, zoom, turn = (lambda c: (*c.uniform(-4, 4, 2), c.uniform(-0.05, 0.05), c.uniform(-5, 5)))(
        generator(0, "trust", number)
    )
    angle, middle, frame = np.radians(turn), (SIDE - 1) / 2, 12
    around = np.pad(picture.astype(float) / 255, ((frame, frame), (frame, frame), (0, 0)), mode="reflect")
    expected = np.zeros((SIDE, SIDE, 3))
    for i in range(SIDE):
        for j in range(SIDE):
            v, u = i - middle, j - middle
            u, v = np.cos(angle) * u - np.sin(angle) * v, np.sin(angle) * u + np.cos(angle) * v
            u, v = u / (1 + zoom) + across + middle + frame, v / (1 + zoom) + down + middle + frame
            a, b = int(np.floor(v)), int(np.floor(u))
            p, q = v - a, u - b
            rows = around[a, b] * (1 - q) + around[a, b + 1] * q, around[a + 1, b] * (1 - q) + around[a + 1, b + 1] * q
            expected[i, j] = rows[0] * (1 - p) + rows[1] * p
    matrix = drawn(generator(0, "trust", number))
    assert np.allclose(seen_from(picture, matrix)[0].permute(1, 2, 0).numpy(), expected, atol=1e-4)
    noise = generator(0, "trust", number, "noise").standard_normal((1, 3, SIDE, SIDE))[0].transpose(1, 2, 0)
    rough = ((expected + 0.02 * noise).clip(0, 1) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rough).save(buffer, "JPEG", quality=75)
    touched = changed(picture, matrix, generator(0, "trust", number, "noise")).astype(int)
    assert np.abs(touched - np.asarray(Image.open(buffer)).astype(int)).mean() < 0.1
    assert np.abs(touched - rough.astype(int)).mean() > 1  # JPEG did take part


@pytest.mark.slow
def test_rank_is_by_deviations_from_the_mean_of_each_channel(folder: Path) -> None:
    """Red reaches 0.6 everywhere, blue −9.4: raw numbers say red, but blue is the more unusual."""
    table = np.stack([told(Channel("units", i), photos()) for i in range(4)])
    mean, sd = table.mean(1), table.std(1)
    picture = plain(round(255 * (mean[0] + sd[0])), 0, 255)
    values = np.array([told(Channel("units", i), [picture])[0] for i in range(4)])
    z = (values[[0, 2]] - mean[[0, 2]]) / sd[[0, 2]]
    assert z[1] > z[0]
    pair = [Channel("units", 0), Channel("units", 2)]
    red, blue = judged(net(), np.stack([picture] * 2), pair, real=Photos.of(folder))
    assert (red.rank, blue.rank, red.channels, red.raw_rank) == (2, 1, 4, False)
    red, blue = judged(net(), np.stack([picture] * 2), pair)
    assert (red.rank, blue.rank, red.raw_rank) == (1, 4, True)
    few = Photos.of([Image.fromarray(photo) for photo in photos(5)])
    assert judged(net(), picture[None], pair[1:], real=few)[0].raw_rank  # five images are no statistics


def test_classes_are_ranked_among_classes_and_what_is_wanted_low_from_below() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    scores = np.array([told(Logit(i), [picture])[0] for i in range(3)])
    targets: list[Target] = [*map(Logit, ("cat", "dog", "cow")), *(-Logit(i) for i in range(3)), Probability("dog")]
    ranks = [one.rank for one in judged(net(), np.stack([picture] * 7), targets)]
    down = (-scores).argsort().argsort() + 1
    assert ranks == [*down, *(4 - down), down[1]]


def test_agreement_is_the_mean_cosine_of_the_layer_over_pairs() -> None:
    rng = np.random.default_rng(2)
    pictures = rng.integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)
    one, other = Channel("units", 0), Channel("units", 2)
    trust = judged(net(), pictures, [one, one, one, other, Energy("units")])
    vectors = np.stack([told(Channel("units", i), pictures) for i in range(4)], 1)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[:3, :3]
    expected = [(cosines[i].sum() - 1) / 2 for i in range(3)]
    assert [one.agreement for one in trust[:3]] == pytest.approx(expected, abs=1e-9)
    assert [one.agreement for one in trust[3:]] == [None, None]


# any target, any picture


def test_a_cell_is_followed_where_its_pattern_moves() -> None:
    picture = plain(0, 0, 0)
    picture[13:16, 16:19] = 255  # nine white pixels around the cell (14, 17), and nothing else
    target = Neuron("early", 0, 14, 17)
    (trust,) = judged(net(), picture[None], [target])
    assert trust.activation == pytest.approx(1, abs=1e-6)
    # all of it is left, wherever the pattern goes; 128 / 255 is what plain gray has
    assert trust.shift_retention == pytest.approx(1, abs=1e-6)
    mean = judged(net(), picture[None], [-1.0 * target])[0]
    assert mean.shift_retention is None  # darker than gray is not what a negative unit gets here


def test_what_cannot_be_defined_is_none_and_never_guessed(folder: Path) -> None:
    pictures = np.stack([plain(200, 10, 10)] * 4)
    targets = [
        Direction("units", (1.0, 0.0, 0.0, 0.0)), Energy("units"), Logit("dog") + Channel("units", 0), Logit("dog")
    ]  # fmt: skip
    for trust in judged(net(), pictures, targets, real=Photos.of(folder))[:3]:
        assert trust.rank is None
        assert trust.channels is None
        assert trust.ratio is not None
    alone = judged(net(), pictures, targets)
    assert all(one.ratio is None and one.robustness is None and one.quantile is None for one in alone)
    assert "unknown" in unknowns(alone)[0]
    assert unknowns(judged(net(), pictures[:1], [Channel("units", 0)], real=Photos.of(folder))) == ()


def test_a_unit_that_no_photo_excites_has_no_ratio(folder: Path) -> None:
    (trust,) = judged(net(), plain(9, 9, 9)[None], [Channel("units", 3)], real=Photos.of(folder))
    assert (trust.best_real, trust.ratio, trust.robustness) == (0, None, None)
    assert "unknown where no real image excites" in unknowns([trust])[0]


class Segments(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x[:, 0] - 0.5, 0.5 - x[:, 0]], 1)


def test_images_that_a_target_cannot_be_asked_of_are_left_out(tmp_path: Path) -> None:
    """A region that is in half of the photos is known of that half."""
    for i in range(6):
        Image.fromarray(plain(240 if i % 2 else 10, 0, 0)).save(tmp_path / f"{i}.png")
    network = Net(
        Segments(), "segments", Preprocess(None, None, mean=(0.0,) * 3, std=(1.0,) * 3), Labels.plain(["a", "b"])
    )
    pictures = np.stack([plain(255, 0, 0), plain(0, 0, 0)])
    found, missing = judged(network, pictures, [Region("a")] * 2, real=Photos.of(tmp_path))
    assert found.real_images == 3
    assert found.activation == pytest.approx(0.5)
    assert (missing.activation, missing.ratio, missing.shift_retention) == (None, None, None)


def test_pictures_of_several_sizes_and_channels() -> None:
    rng = np.random.default_rng(0)
    sizes = [(SIDE, SIDE), (48, 40), (16, 24)]
    several = tuple(rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes)
    trust = judged(net(), several, [Channel("units", 0)] * 3)
    assert [one.activation for one in trust] == pytest.approx(told(Channel("units", 0), several), abs=1e-9)
    for channels in (1, 4):
        seen = Preprocess(mean=(0.0,) * channels, std=(1.0,) * channels, channels=channels)
        network = Net(nn.Conv2d(channels, 2, 3), "any", seen)
        made = rng.integers(0, 256, (2, 9, 9, channels), dtype=np.uint8)
        images = Images.from_pictures([torch.from_numpy(one).permute(2, 0, 1) for one in made], ["a", "b"])
        target = pl.target.Output(0, 0, 0)
        trust = judged(network, made, [target] * 2, real=Photos.of(images))
        values = [told(target, [one], network)[0] for one in images.originals]
        assert [one.activation for one in trust] == pytest.approx(values, abs=1e-6)
        assert [one.best_real for one in trust] == pytest.approx([max(values)] * 2, abs=1e-6)


def test_each_picture_has_its_own_target() -> None:
    with pytest.raises(PellucidError, match="2 pictures for 1 targets"):
        judged(net(), np.stack([plain(1, 2, 3)] * 2), [Logit("dog")])
    with pytest.raises(UnknownName, match="no layer 'units9'"):
        judged(net(), plain(1, 2, 3)[None], [Channel("units9", 0)])
    with pytest.raises(UnknownName, match="no unit 9 in layer"):
        judged(net(), plain(1, 2, 3)[None], [Channel("units", 9)])


# real images


@pytest.mark.slow
def test_one_pass_serves_all_targets_and_layers(folder: Path) -> None:
    targets = [Channel("units", 0), Channel("early", 1, "max"), Neuron("early", 0, 3, 4), Logit("dog"), Energy("units")]
    network = net()
    known = Photos.of(folder).known(network, targets)
    assert known.count == 40
    names = [f"{i:02}.png" for i in range(40)]
    for target in targets:
        values = told(target, photos())
        order = sorted(zip(-values, names, strict=True))[:9]
        assert [name for _, name in known.records[target].best] == [name for _, name in order]
        assert [value for value, _ in known.records[target].best] == pytest.approx([-v for v, _ in order], abs=1e-12)
        assert known.records[target].mean == pytest.approx(values.mean(), abs=1e-12)
    for peers, units in {
        Peers("units"): [Channel("units", i) for i in range(4)],
        Peers("early", "max"): [Channel("early", i, "max") for i in range(2)],
        Peers("early", (3, 4)): [Neuron("early", i, 3, 4) for i in range(2)],
        Peers(None): [Logit(i) for i in range(3)],
    }.items():
        values = np.stack([told(unit, photos()) for unit in units])
        assert known.moments[peers].mean == pytest.approx(values.mean(1), abs=1e-12)
        assert known.moments[peers].sd == pytest.approx(values.std(1), abs=1e-12)
    assert np.array_equal(known.picture("07.png").pictures[0].permute(1, 2, 0).numpy(), photos()[7])


def test_numbers_do_not_depend_on_how_the_photos_are_batched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [Channel("units", 0), Logit("dog")]
    same = Photos.of([Image.fromarray(np.resize(photo, (SIDE, SIDE, 3))) for photo in photos()])
    for real in (Photos.of(folder), same):
        large = real.known(net(), targets)
        monkeypatch.setattr("pellucid.net.MEMORY", 1)
        small = real.known(net(), targets)
        monkeypatch.undo()
        for target in targets:
            assert large.records[target].best == small.records[target].best
            assert large.records[target].mean == small.records[target].mean
        assert all(np.array_equal(large.moments[one].sd, small.moments[one].sd) for one in large.moments)


def test_ties_go_by_name(tmp_path: Path) -> None:
    for name in ("c", "a", "b"):
        Image.fromarray(plain(9, 9, 9)).save(tmp_path / f"{name}.png")
    known = Photos.of(tmp_path).known(net(), [Channel("units", 0)])
    assert [name for _, name in known.records[Channel("units", 0)].best] == ["a.png", "b.png", "c.png"]


def test_few_pictures_are_held_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net._MOST", 4)
    network, shapes = net(), []
    run = Net.run
    monkeypatch.setattr(Net, "run", lambda self, x, **how: shapes.append(len(x)) or run(self, x, **how))  # type: ignore[func-returns-value]
    Photos.of(folder).known(network, [Channel("units", 0)])
    assert max(shapes) <= 4
    assert sum(shapes) == 40


def test_what_cannot_be_read_is_left_out_and_told(folder: Path) -> None:
    (folder / "00.png").write_bytes(b"")
    (folder / "01.png").write_bytes(b"no picture at all")
    for i in (2, 3):
        (folder / f"{i:02}.png").write_bytes(png(photos()[i])[:60])
    seen: list[tuple[str, int, int | None]] = []
    with progress.listen(lambda *said: seen.append(said)):
        known = Photos.of(folder).known(net(), [Channel("units", 0)])
    assert known.count == 36
    assert ("real images", 40, 40) in seen
    (note,) = known.notes
    assert note.text.startswith("4 of 40 real images could not be read and are left out: 00.png, 01.png")
    assert note.text.endswith(", … ('00.png' is empty: 0 bytes)")
    made = trusted(Pictures(plain(1, 2, 3)[None], ("x",)), net(), [Channel("units", 0)], known)
    assert note in made.meta.notes


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadImage, match="none of the 1 real images"):
        Photos.of(tmp_path).known(net(), [Logit("dog")])


def test_what_may_be_given_as_real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [pl.read(folder / "03.png"), folder / "04.png"]
    target = Channel("units", 0)
    for given, count in ((folder, 40), (str(folder / "03.png"), 1), (pictures, 2), (pl.read(photos(3)), 3)):
        known = Photos.of(given).known(net(), [target])
        assert known.count == count
        assert Photos.of(given).facts()["count"] == count
        json.dumps(Photos.of(given).facts())
    assert str(Photos.of(folder)) == str(Photos.of(folder))
    before = str(Photos.of(folder))
    (folder / "03.png").write_bytes(png(plain(1, 2, 3)))
    assert str(Photos.of(folder)) != before
    for wrong, said in (("nowhere/", "is no folder of images"), ([], "the list is empty")):
        with pytest.raises(BadImage, match=said):
            Photos.of(wrong)


class Index(Photos):
    """Something that knows the photos without looking at them again."""

    def known(self, net: Net, targets: Sequence[Target]) -> Known:
        return Known(10**6, {}, {}, lambda name: pl.read("sample:panda"))

    def facts(self) -> dict[str, Any]:
        return {"real": "an index"}


def test_an_index_may_stand_in() -> None:
    (trust,) = judged(net(), plain(1, 2, 3)[None], [Channel("units", 0)], real=Index())
    assert trust == judged(net(), plain(1, 2, 3)[None], [Channel("units", 0)])[0]


def test_place_of_a_unit() -> None:
    network = net()
    assert Place.of(Channel("units", 2, "sum"), network) == Place(Peers("units"), 2)
    assert Place.of(-Neuron("early", 1, 2, 3), network) == Place(Peers("early", (2, 3)), 1, -1)
    assert Place.of(Logit("dog"), network) == Place(Peers(None), 1)
    assert Place.of(Energy("units"), network) is None


# the method that asks


def test_activation_maximization_carries_trust(folder: Path) -> None:
    made = pl.synthesis.activation_maximization(net(), ["units:0", "dog"], steps=4, count=2, real=folder)
    assert made.names == ("units:0, 1 of 2", "units:0, 2 of 2", "dog, 1 of 2", "dog, 2 of 2")
    assert made.trust is not None
    assert all(one.ratio is not None and one.agreement is not None for one in made.trust)
    assert made.meta.nouns["real"] == {"real": str(folder), "count": 40}
    values = told(Channel("units", 0), made.pixels[:2])
    assert [one.activation for one in made.trust[:2]] == pytest.approx(values, abs=1e-9)
    assert "sum" not in made.trust[0].derived()
    alone = pl.synthesis.activation_maximization(net(), "units:0", steps=1)
    assert any("best real image unknown" in note for note in alone.meta.said)


@pytest.mark.parametrize("target", ["best guess", "guess 2", "dog - best guess"])
def test_a_guess_needs_a_picture(target: str) -> None:
    with pytest.raises(PellucidError, match="there is no image yet"):
        pl.synthesis.activation_maximization(net(), target, steps=1)


def test_trust_is_plain() -> None:
    trust = Trust(2.0, best_real=1.0, offset=0.5)
    assert trust.ratio == 3
    assert json.loads(json.dumps(trust.derived()))["ratio"] == 3
    assert Trust(None).ratio is None
