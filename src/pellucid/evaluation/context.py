"""A thing covered, and everything else covered: is a class known by its object, or by what is around it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.evaluation.located import Located, Scene, scene_of
from pellucid.evaluation.regions import mask_on_input
from pellucid.evaluation.summary import Groups, interval
from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats
from pellucid.images.perturb import Fill, filled
from pellucid.net.answers import log_probabilities
from pellucid.net.identity import machine
from pellucid.notes import Note, say
from pellucid.resume import kept, measured_at

Cover = Literal["box", "boxes", "outline"]
WAYS = ("whole", "box", "boxes", "outline", "outline blurred", "background")
"""What is shown: the photo, the things of a class covered in four ways (one box around all of them, a box around each,
their outline), and everything else covered."""
KNOWN, FEWEST = 5, 3
"""The class must be among so many most probable ones, and photos of a class of which an interval is told."""
Verdict = Literal["context", "object", "undecided", "too few"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def shown(scene: Scene, fill: Fill, seed: int) -> dict[str, Tensor]:
    """Each of `WAYS` -> pixels (C, H, W) in 0..1."""
    pixels = scene.case.pixels
    inside, box, boxes = (
        torch.from_numpy(one).to(pixels.device)
        for one in (scene.inside, boxes_on_input(scene, together=True), boxes_on_input(scene, together=False))
    )
    plain, blur = (filled(pixels, one, which=(seed, scene.case.name)) for one in (fill, "blur"))
    return {
        "whole": pixels,
        "box": torch.where(box, plain, pixels),
        "boxes": torch.where(boxes, plain, pixels),
        "outline": torch.where(inside, plain, pixels),
        "outline blurred": torch.where(inside, blur, pixels),
        "background": torch.where(inside, pixels, plain),
    }


def boxes_on_input(scene: Scene, together: bool) -> Mask:
    """(H, W) the pixels of the network's input inside one bounding box around all things of the class, or inside a box
    around any of them (of a mask, around each part that hangs together)."""
    view, boxes = scene.case.image.views[0], scene.region().boxes
    original = np.zeros(view.original, bool)
    if together and len(boxes):
        boxes = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])[None]
    for left, top, right, bottom in boxes:
        original[int(np.floor(top)) : int(np.ceil(bottom)), int(np.floor(left)) : int(np.ceil(right))] = True
    return mask_on_input(original, view) | scene.inside


@dataclass(frozen=True, eq=False)
class Contexts:
    """N cases, a class in a photo each, of which the network knows the class.

    `p` (N, 6) are the probabilities of the class in each of `WAYS`, `ranks` (N, 6) how many classes are more probable.
    `groups` (N,) number the photos, `labels` are the classes as the truth has them, `areas` (N,) the share of what the
    network sees that the thing fills.
    """

    p: Float[np.ndarray, "n 6"]
    ranks: Float[np.ndarray, "n 6"]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    """Of the photos."""
    groups: Groups
    areas: Floats
    cases: NDArray[np.int64]
    """(N,) their numbers among those that were asked about."""

    def __len__(self) -> int:
        return len(self.p)

    def covered(self, cover: Cover) -> Floats:
        """(N,) the probability with the object covered."""
        return np.asarray(self.p[:, WAYS.index(cover)])

    @property
    def alone(self) -> Floats:
        """(N,) the probability with everything but the object covered."""
        return np.asarray(self.p[:, WAYS.index("background")])


@dataclass(frozen=True)
class Leaning:
    """What a class is known by."""

    label: str
    cases: tuple[int, ...]
    """Places in the contexts, those that lean on what is around the object most first."""
    whole: float
    covered: float
    alone: float
    """Mean probabilities: of photos as they are, with the object covered, with everything else covered."""
    low: float
    high: float
    """The 95 % interval of the mean of p(object covered) − p(all else covered); NaN for too few photos."""

    @property
    def difference(self) -> float:
        """p(object covered) − p(all else covered), the mean over photos; above 0 the class leans on its context."""
        return self.covered - self.alone

    @property
    def verdict(self) -> Verdict:
        """What the interval says."""
        if np.isnan(self.low):
            return "too few"
        return "context" if self.low > 0 else "object" if self.high < 0 else "undecided"


def contexts(cases: Located, fill: Fill, seed: int, protocol: str) -> Contexts:
    """Every case, one after another, with progress; kept and shared out as all evaluations are.

    Left out, and noted, are cases of which nothing is in view or nothing else, and classes that are not among the five
    most probable of their photo. PellucidError where none is left, Refused where the network has no classes.
    """
    net = cases.net
    if net.meaning.scores == "regression":
        raise Refused(f"{net.name} gives numbers and no classes: no class is known by an object or by its context")
    ways = len(WAYS)

    def measure(i: int) -> Floats:
        try:
            scene = scene_of(cases[i], cases)
        except BadImage:
            return np.full(2 * ways + 1, np.nan)
        if not scene.inside.any() or scene.inside.all():
            return np.full(2 * ways + 1, np.nan)
        found = _said(scene, shown(scene, fill, seed))
        return np.concatenate([found[0], found[1], [scene.inside.mean()]])

    measured = kept(
        lambda: f"{protocol} {', '.join(WAYS)} {cases.identity} {net.identity} {seed} {machine(net)}",
        lambda at: measure(int(at[0])),
    )
    rows = np.stack(measured_at(measured, [(float(i),) for i in range(len(cases))], "photos"))
    seen = np.isfinite(rows[:, 0])
    known = seen & (rows[:, ways] < KNOWN)
    for count, why in ((int((~seen).sum()), "nothing of the thing is in view, or nothing else"),
                       (int((seen & ~known).sum()), f"the class is not among the {KNOWN} most probable")):  # fmt: skip
        if count:
            say(Note("choice", f"{count} of {len(cases)} cases are left out: {why}"))
    if not known.any():
        raise PellucidError(
            f"{net.name} finds none of the {len(cases)} things of {cases.truth} among its {KNOWN} most probable "
            "classes: there is nothing to cover"
        )
    which = np.flatnonzero(known)
    asked = [cases.asked[i] for i in which]
    return Contexts(
        rows[which, :ways], rows[which, ways : 2 * ways], tuple(one.label or "best guess" for one in asked),
        tuple(cases.images.name(one.image) for one in asked), cases.groups[which], rows[which, 2 * ways], which,
    )  # fmt: skip


def _said(scene: Scene, pictures: Mapping[str, Tensor]) -> tuple[Floats, Floats]:
    """((6,) probabilities of the class, (6,) how many classes are more probable)."""
    target = scene.case.target.class_asked
    number = scene.case.net.class_index(target) if isinstance(target, str) else int(target)  # type: ignore[arg-type]
    found, ranks = np.empty(len(WAYS)), np.empty(len(WAYS))
    for k, name in enumerate(WAYS):
        with torch.no_grad():
            logs = log_probabilities(scene.case.net.run(pictures[name][None]))[0]
        found[k], ranks[k] = np.exp(logs[number]), (logs > logs[number]).sum()
    return found, ranks


def leanings(found: Contexts, cover: Cover, seed: int) -> tuple[Leaning, ...]:
    """A row for each class: those first that are known by their context, then those that lean to it most."""
    covered, made = found.covered(cover), []
    for label in dict.fromkeys(found.labels):
        own = np.array([i for i, one in enumerate(found.labels) if one == label])
        own = own[sorted(range(len(own)), key=lambda k: found.names[own[k]])]
        apart = covered[own] - found.alone[own]
        low = high = float("nan")
        if len(np.unique(found.groups[own])) >= FEWEST:
            low, high = (float(one) for one in interval(apart, seed, "context", label, groups=found.groups[own]))
        order = own[np.argsort(-apart, kind="stable")]
        whole, gone, alone = (float(one[own].mean()) for one in (found.p[:, 0], covered, found.alone))
        made.append(Leaning(label, tuple(order.tolist()), whole, gone, alone, low, high))
    return tuple(sorted(made, key=lambda one: (one.verdict != "context", -one.difference, one.label)))
