"""What is cheap to know about one map: can it be believed?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from pellucid.catalogue.ask import Ask
from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.evaluation.explainers import on_input
from pellucid.evaluation.randomized import SAME, groups, redrawn
from pellucid.geometry import Floats
from pellucid.images import Images, ImagesLike
from pellucid.net import Net, NetLike
from pellucid.notes import Note
from pellucid.render.changed import placed
from pellucid.result import Heatmap, Table
from pellucid.result.checks import Trust
from pellucid.result.table import Cell
from pellucid.saliency.heatmaps import SATURATED
from pellucid.statistics import rank_correlation
from pellucid.target import Target, scored

_DRAWS = 3
"""Of random weights: after one, by chance, a class map may be much the same, or the reverse."""
SHIFT = 4
"""Pixels by which the image is moved."""
_STEADY = 0.9
"""Rank correlation above which a map counts as steady."""
_COMPLETE = 0.05
_DRAWN = ("random weights", "shift")
"""Checks for which the map is drawn again."""
_HELP = {
    "check": "what was looked at",
    "value": "its figure",
    "passed": "whether it speaks for the map; nothing where it says neither",
    "says": "the same in words",
}


@dataclass(frozen=True, eq=False)
class Forgetful:
    """A network, and copies of it that have forgotten what their upper half of layers had learned: made once for all
    maps that are compared with theirs, of one image or of many.
    """

    net: Net
    _made: dict[int, Net] = field(default_factory=dict)

    @property
    def copies(self) -> tuple[Net, ...]:
        """Each with other random weights; none where there are no weights."""
        if not self._made:
            order = groups(self.net)
            names = tuple(name for _, several in order[: max(len(order) // 2, 1)] for name in several)
            for seed in range(_DRAWS) if names else ():
                self._made[seed] = self.net.with_weights(redrawn(self.net, names, seed))
        return tuple(self._made.values())

    def cached(self) -> Forgetful:
        """The same with a memory of passes, for several questions about an image; its copies are the same ones."""
        return replace(self, net=self.net.cached())


def trusted(
    forgetful: Forgetful, images: Images, heat: Heatmap, *, target: Target | None = None, again: bool = True
) -> tuple[Trust, ...]:
    """Completeness, evidence, saturation of the target; and with `again` the map of the network whose upper half has
    random weights, and of the moved image: it is drawn four or five times more, with quick options. What cannot be
    drawn, for want of weights or of pixels, or because the changed network has no map, is left out.

    `heat` is of one image; its Meta knows which question it answers, but for a `target` that only memory holds.
    """
    ask, net = Ask.of(heat.meta.asked), forgetful.net
    image = net.prepare(images)
    if len(image) != 1 or len(heat) != 1:
        raise PellucidError(
            f"check: a map of one image, these are {len(heat)} maps and {len(image)} images: take heat[i]"
        )
    if target is None and "target" in heat.meta.asked.in_memory:
        raise PellucidError(f"check: the target {heat.meta.target} was in memory only: ask with one that has a text")
    run = net.run(image.pixels)
    asked = (target or Target.of(ask.nouns.get("target"), net)).fixed(run)
    found = [*_of_itself(heat), *_saturated(asked, float(scored(asked, run)[0]))]
    return (*found, *_drawn_again(forgetful, image, asked, heat, ask)) if again and heat.values.any() else tuple(found)


def _drawn_again(forgetful: Forgetful, image: Images, target: Target, heat: Heatmap, ask: Ask) -> Iterator[Trust]:
    pixels = image.pictures[0]
    size = (pixels.shape[-2], pixels.shape[-1])
    coarser = {name: value for name, value in ask.entry.quick.items() if ask.options.get(name) != value}
    quick = Ask(ask.method, {}, {**ask.options, **coarser})
    told = ", ".join(f"{name}={value}" for name, value in coarser.items())
    how = f"; the maps compared are drawn with {told}" if told else ""
    named = [target] if "target" in ask.entry.nouns else []

    def again(other: Net, image: Images) -> Floats:
        return on_input(quick.bare(other, image, *named), size)

    here = again(forgetful.net, image) if coarser else on_input(heat, size)
    if forgetful.copies:
        with suppress(BadNetwork, Refused):
            maps = [again(one, image) for one in forgetful.copies]
            yield _random(float(np.mean([abs(rank_correlation(here.ravel(), one.ravel())) for one in maps])), how)
    if min(size) > 2 * SHIFT:
        moved = replace(image, pictures=(placed(pixels[None], SHIFT, SHIFT, size, "mirror")[0],))
        with suppress(BadNetwork, Refused):
            there = again(forgetful.net, moved)
            yield _shift(rank_correlation(here[:-SHIFT, :-SHIFT].ravel(), there[SHIFT:, SHIFT:].ravel()), how)


def check(net: NetLike, images: ImagesLike, heat: Heatmap) -> Table:
    """What is cheap to know about one map, a row for each check: its figure, whether it speaks for the map, in words.

    `heat` is what a method gave for this network and this image; its Meta says which question it answers. Completeness
    is as the method states it; a map without positive values where they would be evidence, and a probability that is
    saturated, are said; the map is compared, by the correlation of ranks, with those of the same network whose upper
    half of layers has random weights (the mean of its sizes over three draws), and with that of the image moved by 4
    pixels; for that a slow method draws all of them with its quick options, which the words name. PellucidError for
    several images.
    """
    net = Net.of(net)
    rows = trusted(Forgetful(net), net.images(images), heat)
    columns: dict[str, tuple[Cell, ...]] = {
        "check": tuple(one.name for one in rows), "value": tuple(one.value for one in rows),
        "passed": tuple(one.passed for one in rows), "says": tuple(one.text for one in rows),
    }  # fmt: skip
    return Table(columns, _HELP, highlighted=tuple(i for i, one in enumerate(rows) if one.passed is False))


def annotate(net: NetLike, images: ImagesLike, heat: Heatmap) -> Heatmap:
    """The same map, whose Meta says what `check` finds: so do its caption and its files.

    `meta.found["trust"]` is every check in words, and the figures of the map under random weights and of the moved
    image stand beside it as `random_weights` and `shift`, rank correlations. PellucidError as `check`.
    """
    net = Net.of(net)
    rows = trusted(Forgetful(net), net.images(images), heat)
    drawn = [one for one in rows if one.name in _DRAWN]  # the others are said of every map
    figures = {one.name.replace(" ", "_"): one.value for one in drawn}
    notes = [Note("check" if one.passed is False else "reading", one.text) for one in drawn]
    found = {**heat.meta.found, **figures, "trust": tuple(one.text for one in rows)}
    return replace(heat, meta=replace(heat.meta, found=found, notes=(*heat.meta.notes, *notes)))


def _of_itself(heat: Heatmap) -> list[Trust]:
    found = []
    lacks = heat.meta.found.get("completeness")
    if lacks is not None:
        error = float(np.abs(np.asarray(lacks, np.float64)).max())
        text = f"its sum misses {error:.1%} of the change of the score"
        passed = True if error <= _COMPLETE else None if heat.meta.found.get("absorbed") else False
        found.append(Trust("completeness", error, passed, text))
    highest = float(np.nanmax(heat.values)) if np.isfinite(heat.values).any() else float("nan")
    if heat.sign == "evidence" and heat.signed and not highest > 0:
        found.append(Trust("evidence", highest, False, "no place speaks for the class: the map is nowhere above zero"))
    if not heat.values.any():
        found.append(Trust("evidence", 0.0, False, "the map is zero everywhere: it says nothing"))
    return found


def _saturated(target: Target, value: float) -> list[Trust]:
    if target.unit != "probability" or value < SATURATED:
        return []
    text = f"the probability is {value:.4f} and hardly has a slope: ask for the logit of the class"
    return [Trust("saturation", value, False, text)]


def _random(alike: float, how: str) -> Trust:
    forgets = alike <= SAME
    where = f"where the upper half of the layers is random (size of the rank correlation {alike:.2f})"
    text = f"{'another' if forgets else 'much the same'} map {where}"
    text += "" if forgets else ": it shows the image more than what the network has learned"
    return Trust("random weights", alike, forgets, text + how)


def _shift(alike: float, how: str) -> Trust:
    steady, moved = alike >= _STEADY, f"when the image moves by {SHIFT} pixels"
    text = f"{'steady' if steady else 'another map'} {moved} (rank correlation {alike:.2f})"
    return Trust("shift", alike, steady, text + how)
