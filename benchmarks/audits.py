"""Audits: copies planted among photos, and the time of many images. Commands of `benchmarks/examples.py`."""

from __future__ import annotations

import io
import resource
import time
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pl
from pellucid.evaluation.context import WAYS as COVERS
from pellucid.index.folds.thumbnails import framed
from pellucid.progress import listen
from pellucid.result.audit import KINDS
from pellucid.statistics import auroc
from pellucid.training_set.alignment import SIDE
from pellucid.training_set.audited import Audited
from pellucid.training_set.copies import EACH, copies
from pellucid.training_set.examples import Examples
from pellucid.training_set.head import Head, read_by, reader
from pellucid.training_set.neighborhood import nearest as by_cosine
from pellucid.training_set.seen import of_index
from pellucid.training_set.verdict import verdict_of

WAYS = ("encoded anew, quality 50", "cropped to 95 %", "mirrored", "all three")


def context(data: str) -> None:
    """What the embedded network says of things of coco128 as they are, covered in four ways, and alone."""
    place, start = Path(data) / "coco128-train", time.monotonic()
    found = pl.examples.context(
        pl.load("bundled"), place / "images", truth=place / "masks", classes=place / "imagenet_pairs.json"
    )
    print(f"{time.monotonic() - start:.0f} s", *found.findings, sep="\n")
    rows = found["photos"].rows
    for way in COVERS[1:-1]:
        more = np.array([float(row[way]) > float(row["background"]) for row in rows])
        small = np.array([float(row["area"]) < 0.25 for row in rows])
        print(f"{way}: more probable than with the background covered {more.mean():.0%}, things below a quarter "
              f"{more[small].mean():.0%}")  # fmt: skip
    print(*(f"{row['photo']} {row['whole']:.2f} {row['box']:.2f} {row['boxes']:.2f}" for row in rows), sep="\n")


def duplicates(folder: str, spec: str = "") -> None:
    """Each photo and four copies of it, as a network sees them at 224 pixels: by small pictures alone, or (`spec`) also
    by what the last layer of a network reads."""
    net, files = pl.load(spec or "bundled"), sorted(Path(folder).glob("*.jpg"))
    head = Head.of(net)
    reading, layer = reader(net, head)
    chance, start = np.random.default_rng(0), time.monotonic()
    small, features = list[np.ndarray](), list[np.ndarray]()
    for file in files:
        with Image.open(file) as opened:
            photo = opened.convert("RGB")
        for one in (photo, *copied(photo, chance)):
            seen = net.prepare(pl.read(np.asarray(one)))
            small.append(framed(seen.shown(0, seen=True), SIDE))
            if spec:
                features.append(read_by(head, reading.run(seen.pixels, layers=[layer])[layer]))
    tiny, read, count = np.stack(small), time.monotonic() - start, len(files)
    rows = np.concatenate(features).astype(np.float32) if spec else None
    every = np.arange(count) * (1 + len(WAYS))
    distinct = copies(tiny[every], _pairs(rows, every), np.zeros(count, np.uint64))
    names = list[str]()
    for (i, j), how in zip(distinct.rows.tolist(), distinct.how, strict=True):
        names.append(f"{files[i].stem} and {files[j].stem} ({how})")
    print(f"{count} distinct photos, {count * (count - 1) // 2} pairs: {len(distinct)} called copies ({read:.0f} s to "
          f"read all) {'; '.join(names)}", flush=True)  # fmt: skip
    print("| planted | found | others | RMS: median, largest | |")
    print("|---|---|---|---|---|")
    for k, way in enumerate(WAYS):
        both = np.concatenate([every, every + 1 + k])
        start = time.monotonic()
        found = copies(tiny[both], _pairs(rows, both), np.zeros(len(both), np.uint64))
        place = {tuple(one): n for n, one in enumerate(found.rows.tolist())}
        right = [n for pair, n in place.items() if pair[1] - pair[0] == count]
        others = sum(pair[0] % count != pair[1] % count for pair in place)
        print(f"| {way} | {len(right) / count:.1%} | {others} | {np.median(found.rms[right]):.3f}, "
              f"{found.rms[right].max():.3f} | {time.monotonic() - start:.0f} s |", flush=True)  # fmt: skip


def copied(photo: Image.Image, chance: np.random.Generator) -> list[Image.Image]:
    """Each of WAYS."""
    wide, high = photo.size
    size = round(0.95 * wide), round(0.95 * high)
    left, top = (int(chance.integers(0, whole - part + 1)) for whole, part in zip(photo.size, size, strict=True))
    cut = photo.crop((left, top, left + size[0], top + size[1]))
    turned = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return [_encoded(photo), cut, turned, _encoded(cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT))]


def _encoded(photo: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=50)
    with Image.open(buffer) as again:
        return again.convert("RGB")


def _pairs(rows: np.ndarray | None, which: np.ndarray) -> np.ndarray:
    if rows is None:
        return np.zeros((0, 2), np.int64)
    near = by_cosine(rows[which], EACH)
    return np.stack([np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()], 1)


class Drawn:
    """What an audit asks of an index, with pictures that are drawn: smooth patches, one in a hundred a copy."""

    image_size, classes = (224, 224), ()

    def __init__(self, images: int) -> None:
        chance, self.jpegs = np.random.default_rng(1), list[bytes]()
        for i in range(images):
            if i % 100 == 99:
                picture = Image.open(io.BytesIO(self.jpegs[i - 50])).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            else:
                coarse = [(chance.random((n, n, 3)) * 255).astype(np.uint8) for n in (5, 16)]
                parts = [Image.fromarray(one).resize((64, 64), Image.Resampling.BICUBIC) for one in coarse]
                picture = Image.blend(parts[0], parts[1], 0.4)
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=80)
            self.jpegs.append(buffer.getvalue())
        self.kept_thumbnails, self.side = self, 64

    def of(self, i: int) -> np.ndarray:
        """The thumbnail of an image."""
        with Image.open(io.BytesIO(self.jpegs[i])) as picture:
            return np.asarray(picture.convert("RGB"))

    def hashes(self, rows: np.ndarray) -> np.ndarray:
        """There are none."""
        return np.zeros(len(rows), np.uint64)

    def thumbnails(self, rows: list[int], side: int) -> np.ndarray:
        """Pictures of a few."""
        return np.stack([framed(self.of(i), side) for i in rows])

    def readable(self, i: int) -> None:
        """There are no files."""


def audit(images: int = 50_000, classes: int = 100) -> None:
    """Every kind of finding but context, of features that are drawn about a mean for each class, 2 % of the labels
    wrong; from the thumbnails on."""
    chance = np.random.default_rng(0)
    centers = chance.gamma(0.5, 1.0, (classes, 1280)).astype(np.float32)
    true = chance.integers(0, classes, images)
    features = np.empty((images, 1280), np.float32)
    for i in range(0, images, 4096):
        rows = true[i : i + 4096]
        features[i : i + 4096] = np.maximum(centers[rows] + chance.normal(0, 1.5, (len(rows), 1280)), 0)
    labels = np.where(chance.random(images) < 0.02, (true + 1) % classes, true)
    weight, bias = (centers - centers.mean(0)).astype(float) / 60, np.zeros(classes)
    logits = np.concatenate([features[i : i + 4096].astype(float) @ weight.T for i in range(0, images, 4096)])
    names = tuple(f"{i:06}.jpg" for i in range(images))
    some = Examples(features, logits, labels.astype(np.int64), np.arange(images), names,
                    tuple(f"class {k}" for k in range(classes)), weight, bias, False, layer="drawn")  # fmt: skip
    drawn = Drawn(images)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{images} × 1280 float32, {classes} classes, thumbnails of 64 pixels: {before:.1f} GB before", flush=True)
    start, spent = time.monotonic(), time.process_time()
    with listen(Timed(start)):
        of = Audited(drawn, some, of_index(drawn, some), None, 0)  # type: ignore[arg-type]
        found = verdict_of(of, set(KINDS) - {"context"}, 30)
    took, most = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    wrong = labels != true
    said = np.zeros(images, bool)
    said[of.labeled[of.doubted.wrong]] = True
    print(f"{took:.0f} s ({time.process_time() - spent:.0f} s of processors), {most:.1f} GB at most; {found.counts}")
    print(
        f"wrong labels: AUROC {auroc(of.doubted.values[wrong], of.doubted.values[~wrong])[0]:.4f}, "
        f"{(said & wrong).sum() / said.sum():.1%} of those that count are wrong, which are "
        f"{(said & wrong).sum() / wrong.sum():.1%} of all wrong ones"
    )
    pairs = {tuple(one) for one in of.pairs.rows.tolist()}
    planted = {(i - 50, i) for i in range(99, images, 100)}
    print(f"copies: {len(pairs & planted)} of {len(planted)} planted, {len(pairs - planted)} others")


class Timed:
    """When each loop began."""

    def __init__(self, start: float) -> None:
        self.start = start

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """One step of a loop."""
        if done == 0:
            said = f"{time.monotonic() - self.start:.0f} s, of processors {time.process_time():.0f} s"
            print(f"  {said}: {what} {total or ''}", flush=True)
