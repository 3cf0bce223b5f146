"""Captions: how right the sentences and answers are, and whether the maps lie on what the words name.

python -m benchmarks.captions captioner [SEED ...]     the captioner, on 200 held-out scenes (seeds 0 1 2)
python -m benchmarks.captions coverage [SEED ...]      the same with the loss that asks for even attention (weight 0.1)
python -m benchmarks.captions vqa [SEED ...]           questions about 200 held-out scenes
python -m benchmarks.captions because DATA [COUNT]     the bundled network on the photos of coco128: phrases against the
                                                       masks, those of other photos as control
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import pellucid as pl
from pellucid.images.concepts import Concepts
from pellucid.learning.recipes import RecipeText
from pellucid.methods.captions import captioner, vqa
from pellucid.result import Captions


def captions(seeds: list[int], coverage: float = 0.0) -> None:
    """Accuracy of words and sentences, and for each map the least share on the named object over its area."""
    defaults, net = dict(pl.find("captioner").options.model_fields), pl.load("bundled")
    samples = int(defaults["samples"].default)
    for seed in seeds:
        start = time.process_time()
        recipe = RecipeText.of(f"{defaults['recipe'].default},seed={seed}")
        found = captioner(net, "scene:1000001", samples=samples, coverage=coverage, recipe=recipe)
        print(
            f"seed {seed}, coverage {coverage:g}, {samples} scenes, {recipe}: "
            f"words {found.meta.found['words right']:.3f}, sentences {found.meta.found['sentences right']:.3f}, "
            f"{time.process_time() - start:.0f} s of a core"
        )
        print("| word | map | own | other | area | own / area | pointing |\n|---|---|---|---|---|---|---|")
        for row in found.tables["inside"].rows:
            own, other, area, peak = (float(row[name] or np.nan) for name in ("own", "other", "area", "pointing"))
            numbers = f"{own:.3f} | {other:.3f} | {area:.3f} | {own / area:.1f} | {peak:.2f}"
            print(f"| {row['word']} | {row['map']} | {numbers} |", flush=True)


def answers(seeds: list[int]) -> None:
    """Accuracy of answers, and the share of each map on the object asked about."""
    defaults, net = dict(pl.find("vqa").options.model_fields), pl.load("bundled")
    for seed in seeds:
        start = time.process_time()
        recipe = RecipeText.of(f"{defaults['recipe'].default},seed={seed}")
        found = vqa(net, "scene:1000001", recipe=recipe)
        print(f"seed {seed}, {recipe}: {'; '.join(found.findings)}; {time.process_time() - start:.0f} s of a core")
        print("| question | map | own | other | area |\n|---|---|---|---|---|")
        for row in found.tables["inside"].rows:
            own, other, area = (float(row[name] or np.nan) for name in ("own", "other", "area"))
            print(f"| {row['question']} | {row['map']} | {own:.3f} | {other:.3f} | {area:.3f} |", flush=True)


def because(data: str, count: int) -> None:
    """Detectors are found on one half of the photos and phrases asked of the other, and the reverse."""
    concepts, net = Concepts.of(Path(data) / "coco128-train"), pl.load("bundled")
    hits, controls, inside, areas, left, said = [], [], [], [], [], 0
    for half in (0, 1):
        known = Concepts(concepts.place, concepts.names, concepts.categories, concepts.files[half::2])
        asked = Concepts(concepts.place, concepts.names, concepts.categories, concepts.files[1 - half :: 2][:count])
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "photos"
            source.mkdir()
            for one, _ in known.files:
                (source / one.name).write_bytes(one.read_bytes())
            index = pl.units.index(net, source, store=Path(folder) / "x.index", layers=("act2",))
            images = pl.read([one for one, _ in asked.files])
            start = time.process_time()
            found = pl.captions.because(index, images, concepts=known, points=1)  # what follows is linear: exact
            spent = time.process_time() - start
        there, masks = [], []
        for i in range(len(asked)):
            mask = asked.mask(i, net.prepare(asked.read(i)).views[0])
            masks.append(mask)
            there.append({asked.names[int(number)] for number in np.unique(mask[mask > 0])})
        phrases = [[part.partition(",")[0] for part in parts if part] for parts in found.parts]
        said += sum(map(len, phrases))
        for i, named in enumerate(phrases):
            left.append(float(found.rest[i] / found.meta.score[i]))
            for k, name in enumerate(named):
                hits.append(name in there[i])
                controls.append(np.mean([name in there[j] for j in range(len(asked)) if j != i]))
                if name in there[i]:
                    number = next(key for key, value in asked.names.items() if value == name)
                    share, area = _inside(found, i, k, masks[i] == number)
                    inside.append(share)
                    areas.append(area)
        print(f"half {half}: {found.findings}; {spent / max(len(asked), 1):.2f} s of a core for each photo", flush=True)
    print(f"{said} phrases; {np.mean(hits):.3f} name what the photo's masks hold, {np.mean(controls):.3f} of the same "
          f"phrases beside another photo")  # fmt: skip
    print(f"of those that do, {np.mean(inside):.3f} of the map's positive part lies inside the mask, which covers "
          f"{np.mean(areas):.3f}; the sentences leave out {np.median(left):.0%} of the score (median)")  # fmt: skip


def _inside(found: Captions, i: int, k: int, mask: np.ndarray) -> tuple[float, float]:
    """(share of the positive part of a phrase's map inside a mask, its area), every pixel reading its nearest cell."""
    values = np.maximum(found.values[i, k, 0], 0)
    rows, columns = found.placement.centers(*values.shape)
    near = [np.abs(np.arange(n)[:, None] - c[None]).argmin(1) for n, c in zip(mask.shape, (rows, columns), strict=True)]
    spread = values[np.ix_(*near)]
    return float(spread[mask].sum() / max(spread.sum(), 1e-12)), float(mask.mean())


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what in ("captioner", "coverage"):
        captions([*map(int, rest)] or [0, 1, 2], 0.1 if what == "coverage" else 0.0)
    elif what == "vqa":
        answers([*map(int, rest)] or [0, 1, 2])
    elif what == "because" and rest:
        because(rest[0], int(rest[1]) if len(rest) > 1 else 50)
    else:
        print(__doc__)
