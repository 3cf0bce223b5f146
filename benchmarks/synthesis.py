"""What synthetic pictures are worth, and what they cost: JSON lines.

    python benchmarks/synthesis.py ratio|classes|trust|anytime|speed [--real FOLDER] [--out FOLDER]

One thread. `ratio`: twenty live channels of four layers drawn by a seed, against the best of the real photos;
`classes`: ten known classes, as the network and another one name the saved files; `trust`: whether the marks mean
what they say, on pictures with and without the touches that make them robust; `anytime`: how fast each preset's
pictures come to excite their units; `speed`: processor time against lucent on ResNet-50 with random weights.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pellucid as pl
from pellucid.images import Images, viewable
from pellucid.render.frame import framed
from pellucid.render.objectives import Each, streams
from pellucid.render.peers import Peers
from pellucid.render.photos import Photos
from pellucid.render.pixels import eight_bits
from pellucid.render.recipes import PRESETS, Recipe
from pellucid.render.records import Known
from pellucid.render.render import optimized
from pellucid.render.trust import judged
from pellucid.result import Trust
from pellucid.rng import generator
from pellucid.target import Channel, Target

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("blocks.2", "blocks.4", "blocks.6", "act2")
CLASSES = (
    "goldfish", "flamingo", "giant panda", "tabby", "zebra", "school bus", "umbrella", "pizza", "volcano", "daisy"
)  # fmt: skip


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


class Remembered(Photos):
    """A pass over the photos that was made before."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def known(self, net: pl.Net, targets: Sequence[Target]) -> Known:
        return self._known

    def facts(self) -> dict[str, Any]:
        return {"images": self._known.count}


def live(net: pl.Net, real: Path, layers: Sequence[str], count: int, seed: int) -> tuple[list[Channel], Known]:
    """`count` channels of each layer that answer some photo more than others, drawn by the seed; and the photos."""
    drawn = [
        Channel(layer, int(index))
        for layer in layers
        for index in generator(seed, "channels", layer).permutation(net.layer(layer).shape[0])[: 2 * count]
    ]
    known = Photos.of(real).known(net, drawn)
    found = []
    for layer in layers:
        spread = known.moments[Peers(layer)].sd
        found += [one for one in drawn if one.layer == layer and spread[one.index] > 0][:count]
    return found, known


def ratio(real: Path, out: Path, preset: str | None, steps: int | None) -> None:
    net = pl.load("bundled")
    start = time.perf_counter()
    targets, known = live(net, real, LAYERS, 5, seed=0)
    say(photos=known.count, pass_s=round(time.perf_counter() - start, 1))
    told = {"preset": preset} if preset else {}
    found = []
    for layer in LAYERS:
        asked = [one for one in targets if one.layer == layer]
        start = time.perf_counter()
        made = pl.synthesis.activation_maximization(net, asked, real=Remembered(known), steps=steps, **told)
        wall = time.perf_counter() - start
        pl.draw(made).save(out / f"ratio.{layer}.png")
        made.write(out / f"{layer}.png")
        for name, one in zip(made.names, made.trust, strict=True):
            keep = {key: _short(value) for key, value in one.as_dict().items()}
            literal = one.activation / one.best_real if one.best_real > 0 else None
            say(unit=name, literal_ratio=_short(literal), wall_s=round(wall / len(asked), 1), **keep)
            found.append(one)
    ratios = np.array([one.ratio for one in found])
    robust = np.array([one.robustness for one in found])
    say(
        units=len(found), reached=float((ratios >= 1).mean()), ratio_median=_short(np.median(ratios)),
        ratio_least=_short(ratios.min()), robust_median=_short(np.median(robust)), robust_least=_short(robust.min()),
        first=int(sum(one.rank == 1 for one in found)), adversarial=int(sum(one.adversarial for one in found)),
    )  # fmt: skip


def anytime(real: Path, evaluations: int, count: int, presets: Sequence[str]) -> None:
    """The activation on the 8-bit picture over the best photo's, after so many forward and backward passes."""
    net = pl.load("bundled")
    targets, known = live(net, real, LAYERS, count, seed=0)
    marks = [2**i for i in range(3, 20) if 2**i <= evaluations]
    for name in presets or PRESETS:
        recipe = replace(PRESETS[name], best=False)
        recipe = replace(recipe, steps=min(evaluations // recipe.views_per_step, recipe.steps))
        start = time.process_time()
        curves = [_climbed(net, recipe, one, marks, known.records[one].best[0][0]) for one in targets]
        cost = (time.process_time() - start) / len(targets)
        ratios = {mark: np.array([curve[mark] for curve in curves]) for mark in curves[0]}
        medians = {mark: _short(np.median(found)) for mark, found in ratios.items()}
        reached = {mark: _short((found >= 1).mean()) for mark, found in ratios.items()}
        say(preset=name, units=len(targets), cpu_s=round(cost, 1), median_ratio=medians, reached=reached)


def _climbed(net: pl.Net, recipe: Recipe, target: Channel, marks: Sequence[int], best: float) -> dict[int, float]:
    """The ratio after so many evaluations, or the first step that has made them."""
    frame, curve = framed(net, None, recipe.room, cuts=recipe.cuts), {}

    def watch(step: int, pictures: Callable[[], torch.Tensor]) -> None:
        done = (step + 1) * recipe.views_per_step
        for mark in (m for m in marks if m <= done < m + recipe.views_per_step):
            run = net.run(_file(net, eight_bits(pictures())[0]), layers=target.layers, stop=True)
            curve[mark] = float(target(run)) / best

    chance = list(streams(0, [target], 1))
    optimized(net, Each((target,)), recipe, frame, chance, what=recipe.name, watch=watch)
    return curve


def _file(net: pl.Net, pixels: np.ndarray) -> torch.Tensor:
    picture = torch.from_numpy(np.moveaxis(pixels, -1, 0).copy())
    return net.prepare(Images.from_pictures([picture], ["x"])).pixels


def speed(steps: int, units: int, rounds: int) -> None:
    """Seconds of one core for each step and unit, ours and lucent's in turns; the first layers end the pass early.

    Pictures of 128 × 128 under lucid's transforms. lucent enlarges what the network sees to 224; `plain` is lucent
    told to leave it at the 140 that ours sees. Ours makes `units` pictures together. The steps are a sample of 512:
    of those that wake dead starts, 16, the same share.
    """
    import torchvision
    from lucent.optvis import param, render

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = torchvision.models.resnet50(weights=None).eval()
        for norm in (m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.momentum = None
        with torch.no_grad():
            module.train()(torch.randn(8, 3, 96, 96))
        module.eval()
    hooks = sum(len(part._forward_hooks) for part in module.modules())
    net = pl.Net(module, "resnet50", pl.load("bundled").preprocess)

    def ours(layer: str) -> float:
        recipe = replace(PRESETS["lucid"], steps=steps, redirect=round(steps * 16 / 512))
        targets = tuple(Channel(layer, i) for i in range(units))
        frame = framed(net, 128, recipe.room)
        start = time.process_time()
        optimized(net, Each(targets), recipe, frame, list(streams(0, targets, 1)), what="x")
        return (time.process_time() - start) / steps / units

    def theirs(layer: str, **how: Any) -> float:
        start = time.process_time()
        render.render_vis(
            module, f"{layer.replace('.', '_')}:10", param_f=lambda: param.image(128), thresholds=(steps,),
            progress=False, show_image=False, **how,
        )  # fmt: skip
        return (time.process_time() - start) / steps

    for layer in ("layer1.2", "layer2.3", "layer3.5", "layer4.2"):
        times: dict[str, list[float]] = {"ours": [], "lucent": [], "lucent_plain": []}
        for _ in range(rounds):
            times["ours"].append(ours(layer))
            times["lucent"].append(theirs(layer))
            times["lucent_plain"].append(theirs(layer, fixed_image_size=140))
        say(
            layer=layer, ratio=_short(np.median(np.divide(times["ours"], times["lucent"]))),
            ratio_plain=_short(np.median(np.divide(times["ours"], times["lucent_plain"]))),
            **{name: round(float(np.median(found)), 4) for name, found in times.items()},
        )  # fmt: skip
    left = sum(len(part._forward_hooks) for part in module.modules())
    say(hooks_before=hooks, hooks_left_by_lucent=left)


def classes(out: Path, preset: str | None, steps: int | None) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.squeezenet import squeezenet

    net, other = pl.load("bundled"), squeezenet(ROOT.parent / "shared/data/weights/squeezenet_v1.0_decoded.npz")
    told = {"preset": preset} if preset else {}
    start = time.perf_counter()
    made = pl.synthesis.activation_maximization(net, list(CLASSES), steps=steps, **told)
    say(wall_s=round(time.perf_counter() - start, 1), steps=steps or made.meta.options["preset"]["steps"])
    pl.draw(made).save(out / "classes.png")
    own = known = 0
    for name, file in zip(CLASSES, made.write(out / "class.png"), strict=True):
        index, picture = net.class_index(name), pl.read(file)
        first, five = net.top(picture, 1)[0], other.top(picture, 5)
        own += first.index == index
        known += index in [prediction.index for prediction in five]
        say(
            asked=name, own=first.label, own_probability=_short(first.probability),
            squeezenet=[prediction.label for prediction in five],
            recognized=index in [prediction.index for prediction in five],
        )  # fmt: skip
    say(classes=len(CLASSES), own_top1=own, squeezenet_top5=known)


def trust(real: Path, steps: int | None) -> None:
    net = pl.load("bundled")
    targets, known = live(net, real, LAYERS, 5, seed=0)
    best = [known.picture(known.records[one].best[0][1]) for one in targets]
    files = tuple(viewable(one.pictures[0]) for one in best)
    say(pictures="best photos", **_summary(judged(net, files, targets, real=known)))
    few = targets[::5]  # one of each layer
    for name, preset in (("default", None), ("no transforms", "simonyan + none(l2)")):
        told = {"preset": preset} if preset else {}
        start = time.perf_counter()
        made = pl.synthesis.activation_maximization(net, few, real=Remembered(known), steps=steps, count=2, **told)
        whole = time.perf_counter() - start
        start = time.perf_counter()
        again = judged(net, made.pixels, [one for one in few for _ in range(2)], real=known)
        say(pictures=name, trust_share_of_time=_short((time.perf_counter() - start) / whole), **_summary(again))
        crossed = judged(net, made.pixels, [few[i // 2 - 1] for i in range(2 * len(few))], real=known)
        say(pictures=f"{name}, judged as another target's", **_summary(crossed))


def _summary(trust: Sequence[Trust]) -> dict[str, Any]:
    found: dict[str, Any] = {"count": len(trust), "adversarial": sum(one.adversarial for one in trust)}
    found["first"] = sum(one.rank == 1 for one in trust)
    for name in ("ratio", "robustness", "shift_retention", "perturb_retention", "agreement"):
        values = [value for one in trust if (value := getattr(one, name)) is not None]
        if values:
            found[name] = [_short(q) for q in np.quantile(values, [0, 0.5, 1])]
    return found


def _short(value: Any) -> Any:
    return round(float(value), 3) if isinstance(value, (float, np.floating)) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["ratio", "classes", "trust", "anytime", "speed"])
    parser.add_argument("--real", type=Path, default=ROOT.parent / "shared/data/images-imagenet1000")
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--preset")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--units", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.what == "ratio":
        ratio(asked.real, asked.out, asked.preset, asked.steps)
    elif asked.what == "classes":
        classes(asked.out, asked.preset, asked.steps)
    elif asked.what == "trust":
        trust(asked.real, asked.steps)
    elif asked.what == "anytime":
        anytime(
            asked.real, asked.steps or 512, max(asked.units // len(LAYERS), 1), [asked.preset] if asked.preset else []
        )
    elif asked.what == "speed":
        speed(asked.steps or 32, asked.units, asked.rounds)


if __name__ == "__main__":
    main()
