"""What an index costs and whether it is exact, over a folder of photos; JSON lines.

    python benchmarks/index.py exact    PHOTOS          every unit against brute force; bits for cuts and workers
    python benchmarks/index.py ceilings PHOTOS          top nine of 500 units against the ranking before the ceiling
    python benchmarks/index.py thresholds PHOTOS        what .005 exceeds, against every place; quantiles and maxima
    python benchmarks/index.py overhead PHOTOS [--net timm:resnet50]   above bare inference, picture by picture
    python benchmarks/index.py memory   PHOTOS          peak of the process for 500, 1000, 5000 pictures
    python benchmarks/index.py queries                  on a made-up index of 50,000 units
    python benchmarks/index.py scale                    the folds alone at the size of ImageNet

Times are CPU times of this process (it runs one thread), because the machine is shared; ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.exceeded import exceeded
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.folds.extremes import Largest
from pellucid.index.folds.histogram import Histogram
from pellucid.index.folds.sums import ExactSums
from pellucid.index.plan import planned
from pellucid.net import Net
from pellucid.net.load import load
from pellucid.progress import steps
from pellucid.sweep import Plan, Processes, Serial, swept
from pellucid.sweep.extract import Extractor
from pellucid.sweep.hashes import Hashes
from pellucid.sweep.layers import Units
from pellucid.sweep.observed import LARGEST, Batch, Events
from pellucid.sweep.shard import _gates, _keep_freed_memory


def told(**facts: Any) -> None:
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in facts.items()}), flush=True)


def exact(photos: str, folder: Path) -> None:
    """Top pictures, places and moments of every unit against a plain sort of all activations, or of what those with a
    ceiling receive.
    """
    net, source = load("bundled"), Source.of(photos)
    index = Index.of(swept(planned(net, source), folder / "a", Serial(net, source)))
    plan, count = index.plan, index.plan.count
    names, units = plan.units.layers, len(plan.units)
    maxima = np.empty((len(source), units), np.float32)
    places = np.empty((len(source), units), np.int32)
    for start in steps(range(0, len(source), plan.at_once), "pictures"):
        some = range(start, min(start + plan.at_once, len(source)))
        pixels = torch.cat([net.prepare(source.read(i)).pixels for i in some])
        filled = torch.cat([pixels, torch.zeros(plan.at_once - len(pixels), *pixels.shape[1:])])
        with torch.no_grad():
            run = net.run(filled, layers=names)
        flat = [run.at[name].reshape(plan.at_once, run.at[name].shape[1], -1)[: len(some)].numpy() for name in names]
        maxima[start : some.stop] = np.concatenate([one.max(2) for one in flat], 1)
        places[start : some.stop] = np.concatenate([one.argmax(2) for one in flat], 1)
    order = np.argsort(-maxima, axis=0, kind="stable")[:count].T  # stable: of equal ones the lower picture first
    rows = np.arange(units)[:, None]
    same = {
        "values": np.array_equal(index.store.array("top.value"), maxima[order, rows]),
        "images": np.array_equal(index.store.array("top.image"), order),
        "places": np.array_equal(index.store.array("top.place"), places[order, rows]),
        "greatest": np.array_equal(index.store.array("moments.greatest"), maxima.max(0)),
    }
    wide = maxima.astype(np.float64)
    worst = {
        "max_mean": float(np.abs(index.store.array("moments.max_mean") - wide.mean(0)).max()),
        "max_sd": float(np.abs(index.store.array("moments.max_sd") - wide.std(0)).max()),
    }
    told(what="exact", pictures=len(source), units=units, equal=same, largest_error=worst)
    digest = index.store.current["digest"]
    cuts = [{"shard": 100}, {"shard": 250}, {"batch": 5}, {"batch": 64}]
    for n, how in enumerate(cuts):
        other = swept(planned(net, source, **how), folder / f"cut{n}", Serial(net, source))
        told(what="same bits", how=how, same=other.current["digest"] == digest)
    for workers in (2, 4):
        plan = planned(net, source, spec={"spec": "bundled"}, shard=125)
        other = swept(plan, folder / f"w{workers}", Processes(workers))
        told(what="same bits", workers=workers, same=other.current["digest"] == digest)


def ceilings(photos: str, folder: Path) -> None:
    """The nine strongest of 500 random units of those with a ceiling, against what it receives."""
    net, source = load("bundled"), Source.of(photos)
    plan = planned(net, source, bottom=0, sample=0)
    index = Index.of(swept(plan, folder / "c", Serial(net, source)))
    units, table = plan.units, net.layers(plan.size)
    names = [row.name for row in table.rows]
    capped = [i for i, clip in enumerate(units.clips) if clip is not None]
    before = {i: names[names.index(units.layers[i]) - 1] for i in capped}  # the batch norm in front of each
    maxima = {i: np.empty((len(source), units.channels[i]), np.float32) for i in capped}
    places = {i: np.empty((len(source), units.channels[i]), np.int32) for i in capped}
    for start in steps(range(0, len(source), plan.at_once), "pictures"):
        some = range(start, min(start + plan.at_once, len(source)))
        pixels = torch.cat([net.prepare(source.read(i)).pixels for i in some])
        filled = torch.cat([pixels, torch.zeros(plan.at_once - len(pixels), *pixels.shape[1:])])
        run = net.run(filled, layers=list(before.values()))
        for i, name in before.items():
            flat = run.at[name][: len(some)].flatten(2).numpy()
            maxima[i][start : some.stop], places[i][start : some.stop] = flat.max(2), flat.argmax(2)
    rng = np.random.default_rng(0)
    all_units = [(i, channel) for i in capped for channel in range(units.channels[i])]
    same = equal_places = tied = 0
    for i, channel in [all_units[k] for k in rng.choice(len(all_units), 500, replace=False)]:
        order = np.argsort(-maxima[i][:, channel], kind="stable")[:9]
        top = index[units.layers[i]].top(channel)
        same += top.images.tolist() == order.tolist()
        equal_places += top.places.tolist() == places[i][order, channel].tolist()
        tied += len(np.unique(top.values)) == 1
    told(
        what="ceilings", pictures=len(source), units=500, same_images=same, same_places=equal_places, all_nine_tied=tied
    )


def thresholds(photos: str, folder: Path, share: float = 0.005) -> None:
    """Dissection's thresholds against every activation, in float64; all units' quantiles against their maxima."""
    net, source = load("bundled"), Source.of(photos)
    index = Index.of(swept(planned(net, source, bottom=0, sample=0), folder / "t", Serial(net, source))).with_net(net)
    layers, units = index.stages, index.plan.units
    judged = np.concatenate(exceeded(index, layers, share))
    sampled = np.concatenate([
        [index[layer].quantiles(c, np.array([1 - share]))[0] for c in range(units.channels[units.layer(layer)])]
        for layer in layers
    ])  # fmt: skip
    kept: list[list[torch.Tensor]] = [[] for _ in layers]
    for i in steps(range(len(source)), "pictures"):
        run = net.run(net.prepare(source.read(i)), layers=layers, stop=True)
        for held, layer in zip(kept, layers, strict=True):
            held.append(run.at[layer][0].flatten(1))
    exact = [np.quantile(torch.cat(held, 1).numpy(), 1 - share, axis=1) for held in kept]
    truth = np.concatenate(exact)
    known = np.abs(truth) > 1e-9
    over = 0
    for layer, channels in zip(units.layers, units.channels, strict=True):
        high = [index[layer].moments.greatest[c] for c in range(channels)]
        over += sum(index[layer].quantiles(c, np.array([0.995]))[0] > high[c] for c in range(channels))
    for name, found in (("counted", judged), ("sampled", sampled)):
        error = np.abs(found - truth)[known] / np.abs(truth[known])
        worst, median, p95 = (float(np.quantile(error, q)) for q in (1, 0.5, 0.95))
        told(what="thresholds", how=name, pictures=len(source), units=len(truth), median=median, p95=p95, worst=worst)
    told(what="quantiles", units=len(units), above_their_maximum=int(over))


def overhead(photos: str, spec: str, weights: str | None, pictures: int) -> None:
    """Of the pass with all folds above the network alone, on the same pictures, in turns; by how many came before.

    Beyond the photos there are, their mirror images are shown.
    """
    torch.set_num_threads(1)
    _keep_freed_memory()
    net, source = load(spec, weights=weights), Source.of(photos)
    plan = planned(net, source, bottom=0, sample=0)  # what the issue names: top 100, histograms, moments
    folds = plan.folds
    working = {fold.name: fold.start(plan.scope) for fold in folds}
    extractor = Extractor(net, plan.units, plan.observes, plan.seed, plan.at_once)
    alone: list[float] = []
    whole: list[float] = []
    for start in range(0, pictures, plan.batch):
        numbers = np.arange(start, start + plan.batch)
        pixels = torch.stack([_seen(net, source, int(i)) for i in numbers])
        last = start >= pictures - 256  # the pictures before fill the lists, and need no comparison
        fewest = min(_bare(net, pixels, k) for k in (1, 2, 4, 8)) if last else np.nan
        clock = time.process_time()
        gates = _gates(plan, working, numbers)
        batch = extractor.extract(pixels, numbers, np.full(len(numbers), -1), gates)
        for fold in folds:
            fold.step(working[fold.name], plan.scope, batch)
        whole.append(time.process_time() - clock)
        alone.append(fewest)
        if (last and len(whole) % 4 == 0) or start + plan.batch >= pictures:
            done, bare = whole[-16:], alone[-16:]
            done, bare = done[-sum(map(np.isfinite, bare)) :], [one for one in bare if np.isfinite(one)]
            ratio = statistics.median(a / b for a, b in zip(done, bare, strict=True))
            each = 1000 / plan.batch
            told(what="overhead", net=spec, units=len(plan.units), after=start + plan.batch, ratio=ratio,
                 ms=statistics.median(done) * each, bare_ms=statistics.median(bare) * each)  # fmt: skip


def _seen(net: Net, source: Source, i: int) -> torch.Tensor:
    pixels = net.prepare(source.read(i % len(source))).pixels[0]
    return pixels.flip(-1) if (i // len(source)) % 2 else pixels


def _bare(net: Net, pixels: torch.Tensor, together: int) -> float:
    """CPU seconds of the network alone."""
    net.module.eval()
    clock = time.process_time()
    with torch.no_grad():
        for part in net.preprocess.normalize(pixels).split(together):
            net.module(part)
    return time.process_time() - clock


def memory(photos: str, folder: Path) -> None:
    """Peak of a process that makes an index; small shards, so that there are several."""
    source = Source.of(photos)
    for pictures in (500, 1000, 5000):
        place = folder / f"p{pictures}"
        place.mkdir()
        for i in range(pictures):
            (place / f"{i:05d}.jpg").symlink_to(Path(photos).absolute() / source.name(i % len(source)))
        code = (
            "import resource, sys, torch; torch.set_num_threads(1)\n"
            "import pellucid as pl\n"
            "pl.units.index('bundled', sys.argv[1], store=sys.argv[2])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        )
        begun = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code, str(place), str(folder / f"i{pictures}")],
                              check=True, capture_output=True, text=True)  # fmt: skip
        size = sum(file.stat().st_size for file in (folder / f"i{pictures}").rglob("*") if file.is_file()) / 1e6
        told(what="memory", pictures=pictures, peak_mb=float(done.stdout.split()[-1]),
             seconds=time.perf_counter() - begun, store_mb=size)  # fmt: skip


def _made_up(units: int, images: int, **how: Any) -> Plan:
    layers = 50
    shape = Units(tuple(f"layer{i}" for i in range(layers)), (units // layers,) * layers, ((14, 14),) * layers,
                  (None,) * layers, {}, (False,) * layers, (None,) * layers)  # fmt: skip
    folds = (Largest(), Histogram(), ExactSums(), Embeddings(("layer49",)), Hashes())
    return Plan({"spec": "none"}, "0" * 64, {}, "none:", images, "0" * 64, "", shape, folds, **how)


def scale(units: int = 50_000, images: int = 1_281_167, shard: int = 4096) -> None:
    """The folds alone, over made-up maxima: a batch is drawn, folded; shards are packed with floors and absorbed."""
    plan = _made_up(units, images, shard=shard)
    counting = [fold for fold in plan.folds if fold.name in ("top", "histogram", "moments")]
    rng = np.random.default_rng(0)
    drawn = np.maximum(rng.standard_normal((plan.batch, units), np.float32), 0)
    sampled = rng.standard_normal((plan.batch, plan.observes.samples, units), np.float32)
    driver = {fold.name: fold.start(plan.scope) for fold in counting}
    log = {fold.name: 0 for fold in counting}
    clock = time.process_time()
    for number in range(-(-images // shard)):
        absorbed = number + 1
        folds = counting
        working = {fold.name: fold.start(plan.scope) for fold in folds}
        counting[0].bounded_by(working["top"], counting[0].bound(driver["top"]))
        for start in range(number * shard, min((number + 1) * shard, images), plan.batch):
            numbers = np.arange(start, min(start + plan.batch, images))
            # other numbers each time, for next to nothing: the rows rolled by a random amount and scaled a little
            maxima = np.roll(drawn, int(rng.integers(units)), 1)[: len(numbers)] * rng.uniform(
                0.7, 1.3, (len(numbers), 1)
            ).astype(np.float32)
            gate = folds[0].gates(working["top"], numbers)[LARGEST]
            row, unit = np.nonzero(maxima >= gate)
            events = Events(row, unit, np.zeros(len(row), np.int64))
            batch = Batch(
                numbers, numbers * 0 - 1, maxima, maxima, maxima, maxima, sampled[: len(numbers)], {LARGEST: events}
            )
            for fold in folds:
                fold.step(working[fold.name], plan.scope, batch)
        for fold, kept in zip(folds, counting, strict=True):
            part = fold.pack(plan.scope, working[fold.name])
            log[fold.name] += sum(values.nbytes for values in part.values())
            kept.absorb(driver[fold.name], plan.scope, part)
        if absorbed in (1, 4, 16, 64, 128, 256) or number == -(-images // shard) - 1:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            told(what="scale", shards=absorbed, images=min((number + 1) * shard, images), peak_mb=peak,
                 cpu_s=time.process_time() - clock,
                 ms_per_image=(time.process_time() - clock) * 1000 / min((number + 1) * shard, images),
                 log_mb={name: size / 1e6 for name, size in log.items()})  # fmt: skip
    finished = {fold.name: fold.finish(plan.scope, driver[fold.name]) for fold in counting}
    told(what="finished", mb={n: sum(v.nbytes for v in part.values()) / 1e6 for n, part in finished.items()})


def queries(folder: Path, units: int = 50_000, images: int = 100_000) -> None:
    """On a made-up index: opening it, the data of a unit page, SQL over all units, the nearest of 100,000 rows."""
    from pellucid.methods.units import table
    from pellucid.sweep import Store
    from pellucid.sweep.shard import Done

    plan = _made_up(units, images, shard=images)
    rng = np.random.default_rng(0)
    store = Store.begun(folder / "q.index", plan)
    parts = {fold.name: fold.start(plan.scope) for fold in plan.folds}
    for start in range(0, 2048, plan.batch):
        maxima = rng.random((plan.batch, units), np.float32)
        row, unit = (one.ravel() for one in np.indices(maxima.shape))
        numbers = np.arange(start, start + plan.batch)
        sampled = rng.random((plan.batch, plan.observes.samples, units), np.float32)
        batch = Batch(numbers, numbers * 0 - 1, maxima, maxima, maxima, maxima, sampled,
                      {LARGEST: Events(row, unit, row * 0)})  # fmt: skip
        for fold in plan.folds:
            fold.step(parts[fold.name], plan.scope, batch)
    packed = {fold.name: fold.pack(plan.scope, parts[fold.name]) for fold in plan.folds}
    store.commit(0, Done(packed, (), images))
    store.finalize()

    def page(index: Index, unit: int) -> None:
        layer, channel = f"layer{unit // 1000}", unit % 1000
        index[layer].top(channel, 100)
        index[layer].moments  # noqa: B018
        index[layer].quantiles(channel, np.array([0.5, 0.9, 0.99, 0.995]))
        index[layer].histogram(channel)

    def timed(what: str, work: Any, times: int) -> None:
        taken = []
        for i in range(times):
            clock = time.perf_counter()
            work(i)
            taken.append(1000 * (time.perf_counter() - clock))
        told(what=what, first_ms=taken[0], median_ms=statistics.median(taken), worst_ms=max(taken))

    where = folder / "q.index"
    timed("open", lambda i: page(Index.of(where), i), 5)
    index = Index.of(where)
    timed("unit page data", lambda i: page(index, int(rng.integers(units))), 200)
    timed("SQL over all units", lambda i: table(index, where=f"greatest > {0.9 + i / 1000} and layer = 'layer7'",
                                                sort="mean"), 7)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["exact", "ceilings", "thresholds", "overhead", "memory", "queries", "scale"])
    parser.add_argument("photos", nargs="?")
    parser.add_argument("--net", default="bundled")
    parser.add_argument("--weights")
    parser.add_argument("--pictures", type=int, default=1600)
    parser.add_argument("--images", type=int, default=1_281_167)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "exact":
            exact(given.photos, Path(folder))
        elif given.what == "ceilings":
            ceilings(given.photos, Path(folder))
        elif given.what == "thresholds":
            thresholds(given.photos, Path(folder))
        elif given.what == "overhead":
            overhead(given.photos, given.net, given.weights, given.pictures)
        elif given.what == "memory":
            memory(given.photos, Path(folder))
        elif given.what == "queries":
            queries(Path(folder))
        else:
            scale(images=given.images)


if __name__ == "__main__":
    main()
