"""Many maps of many images, each judged by itself: in any order, by any worker, and where it was stopped it goes on."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import BadImage, Refused
from pellucid.evaluation.explainers import Explainer, Explainers
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.net.identity import machine
from pellucid.notes import Note, say
from pellucid.resume import Coordinates, kept, measured_together
from pellucid.target import BEST, Logit, Probability, Target

_HELD = 256
"""Images that are kept as the network sees them, while one method after another is asked about them."""


@dataclass(frozen=True, eq=False)
class Case:
    """One image as the network sees it, and what is asked about it."""

    net: Net
    number: int
    """Among the cases."""
    image: Images
    """Prepared: pixels (1, C, H, W) in 0..1."""
    target: Target
    """The class that it is asked about: the best guess of this image, unless somebody asks for another."""
    probability: Target | None
    """The probability of that class; None where the outputs are no classes."""

    @property
    def name(self) -> str:
        """Of the image."""
        return self.image.ids[0]

    @property
    def pixels(self) -> Tensor:
        """(C, H, W) in 0..1."""
        return self.image.pictures[0]


Again = Callable[..., Floats]
"""`again(net=…, pixels=…, seed=…)`: the same map (H, W) of another network or of changed pixels (C, H, W)."""
Judge = Callable[[Case, Floats, Again], Floats]
"""What a map (H, W) of a case is worth: some numbers. The map may be asked for again."""


@dataclass(frozen=True, eq=False)
class Judged:
    """`values` (K, N, …) of K explainers and N images; NaN where a method refused or an image could not be read."""

    explainers: Explainers
    images: tuple[str, ...]
    values: Floats
    refused: dict[str, str] = field(default_factory=dict)
    """Method -> why it gives no map of any image."""
    net: Net | None = None
    """Whose maps they are."""
    source: str = ""
    """The identity of all that was asked about."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the explainers."""
        return tuple(one.name for one in self.explainers.each)

    def reduced(self, values: Floats) -> Judged:
        """With other numbers (K, N, …), made of these."""
        return replace(self, values=values)

    @property
    def common(self) -> NDArray[np.int64]:
        """Places of the images of which all have figures, by their names: what is drawn at random for one or the other
        does not depend on the order in which they came.
        """
        both = np.flatnonzero(np.isfinite(np.moveaxis(self.values, 1, 0).reshape(len(self.images), -1)).all(1))
        return np.asarray(both[np.argsort(np.array(self.images)[both], kind="stable")], np.int64)

    def known(self) -> Judged:
        """Without the methods that refused."""
        each = [k for k, name in enumerate(self.names) if name not in self.refused]
        own = Explainers(tuple(self.explainers.each[k] for k in each))
        return replace(self, explainers=own, values=self.values[each], refused={})


class Cases:
    """What maps are asked for: here the best guess of each image, of a regression its first output. Children ask for
    something else.
    """

    def __init__(self, net: Net, images: ImageSet) -> None:
        self.net, self.images = net, images.on(net)
        self._held: OrderedDict[int, Case] = OrderedDict()

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        """What case i is called."""
        return self.images.name(i)

    @property
    def identity(self) -> str:
        """The same for equal cases of one network."""
        return self.images.identity

    def __getitem__(self, i: int) -> Case:
        """Case i, whose image is read and shown to the network once. Raises BadImage."""
        if i not in self._held:
            self._held[i] = self.made(i)
            if len(self._held) > _HELD:
                self._held.popitem(last=False)
        return self._held[i]

    def made(self, i: int) -> Case:
        """Case i, for the first time."""
        image = self.net.prepare(self.images.item(i)[0])
        run = self.net.run(image.pixels)
        first = self.net.meaning.scores == "regression" and run.scores.shape[1] > 1
        return asked_about(self.net, i, image, run, Logit(0) if first else BEST.fixed(run))


def asked_about(net: Net, number: int, image: Images, run: Run, target: Target) -> Case:
    """A prepared image that is asked about a target, with the probability of its class as it is in this run."""
    named = None if net.meaning.scores == "regression" else target.class_asked
    return Case(net, number, image, target, None if named is None else Probability(named).fixed(run))


class Judging:
    """A network, images, and how their maps are judged. `protocol` says all that the numbers depend on besides.

    Of images the best guess of each is asked about; `Cases` ask about something else.
    """

    def __init__(
        self, net: Net, images: ImageSet | Cases, judge: Judge, protocol: str, shape: tuple[int, ...], seed: int = 0
    ) -> None:
        self.net, self.judge = net, judge
        self.cases = images if isinstance(images, Cases) else Cases(net, images)
        self.protocol, self.shape, self.seed = protocol, shape, seed

    def case(self, i: int) -> Case:
        """Case i. Raises BadImage."""
        return self.cases[i]

    def __call__(self, explainers: Explainers) -> Judged:
        """Every map of every image, with progress."""
        count, values, refused = len(self.cases), [], {}
        places = [(float(i),) for i in range(count)]
        each = measured_together([(self._kept(one), places, one.name) for one in explainers.each], "maps")
        for explainer, found in zip(explainers.each, each, strict=True):
            values.append(np.stack(found).reshape(count, *self.shape))
            gaps = np.flatnonzero(np.isnan(values[-1].reshape(count, -1)).all(1))
            why = self._why(explainer, gaps)
            if why and len(gaps) == count:
                refused[explainer.name] = why
                say(Note("refused", f"{explainer.name}: {why}"))
            elif why:
                few = f"{len(gaps)} of {count} images, which are left out of all comparisons"
                say(Note("refused", f"{explainer.name} has no figure of {few}; of the first: {why}"))
        names = tuple(self.cases.name(i) for i in range(count))
        whole = np.stack(values)
        lost = np.isnan(whole.reshape(len(values), count, -1)).all((0, 2))
        for i in np.flatnonzero(lost) if len(refused) < len(values) else ():
            say(Note("unreadable", f"{names[i]} was left out: it could not be read, or no method has a map of it"))
        return Judged(explainers, names, whole, refused, self.net, self.cases.identity)

    def _kept(self, explainer: Explainer) -> Callable[[Coordinates], Floats]:
        def identity() -> str:
            parts = [self.net.identity, self.cases.identity, explainer.identity, self.protocol, self.seed]
            return json.dumps([*parts, machine(self.net)])

        return kept(identity, lambda at: self._one(explainer, int(at[0])))

    def _one(self, explainer: Explainer, i: int) -> Floats:
        try:
            case = self.case(i)
            heat = explainer.heat(self.net, case.image, case.target, self.seed)
        except (BadImage, Refused):
            return np.full(self.shape, np.nan)
        try:
            found = self.judge(case, heat, partial(self._again, explainer, case, heat))
        except Refused:  # a network that was changed for a test has no map, and the image no figure
            return np.full(self.shape, np.nan)
        return np.asarray(found, np.float64).reshape(self.shape)

    def _again(
        self, explainer: Explainer, case: Case, heat: Floats, *, net: Net | None = None, pixels: Tensor | None = None,
        seed: int | None = None,
    ) -> Floats:  # fmt: skip
        image = case.image if pixels is None else replace(case.image, pictures=(pixels,))
        chosen = explainer if seed is None else explainer.seeded(seed)
        if chosen is explainer and not explainer.is_baseline and net is None and pixels is None:
            return heat  # nothing that it depends on is another
        return chosen.heat(net or case.net, image, case.target, self.seed if seed is None else seed)

    def _why(self, explainer: Explainer, gaps: Iterable[int]) -> str:
        """What a method says to the first of these images that can be read."""
        for i in gaps:
            try:
                case = self.case(int(i))
            except BadImage:
                continue
            try:
                heat = explainer.heat(self.net, case.image, case.target, self.seed)
                self.judge(case, heat, partial(self._again, explainer, case, heat))
            except Refused as error:
                return str(error)
            return ""
        return ""
