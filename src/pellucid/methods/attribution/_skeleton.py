"""What attribution methods share: the walk over chunks of images, the backward pass, the layer, the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.images.touch import Fill, filled
from pellucid.net import Net, Run
from pellucid.net.rules import Rule
from pellucid.net.rules.elementwise import least, stabilised
from pellucid.notes import Note, Topic
from pellucid.progress import steps
from pellucid.result import Heatmap, Meta
from pellucid.result.coverage import Coverage, Met, uncovered
from pellucid.result.maps import Sign
from pellucid.target import Logit, Probability, Target, Top, guessed, named, scored
from pellucid.target.classes import OfClass

_SATURATED = 1e-3
"""Of a probability: this near to 1, its slope is at most a thousandth of the logit's, p (1 − p)."""
Reduce = Literal["max", "l2", "l1", "signed"]
"""How the channels of a pixel become one number: max |.|, Euclidean norm, sum of |.|, or the plain sum."""


def chunks(
    items: Tensor, net: Net, what: str, size: tuple[int, int] | None = None, *, grad: bool = True
) -> Iterator[Tensor]:
    """`items`, one for each image to run, in portions whose images of `size` fit the memory budget.

    By default the items are the images themselves, (N, C, H, W).
    """
    at_once = net.chunk(size or (items.shape[-2], items.shape[-1]), grad=grad)
    return steps(items.split(at_once), what)


@dataclass(frozen=True, eq=False)
class Signal:
    """What came back to the pixels: d score / d pixel (N, C, H, W), the scores (N,), how operations answered."""

    gradient: Float[Tensor, "n c h w"]
    scores: Float[Tensor, " n"]
    coverage: Coverage
    asked: tuple[Target, ...] = ()
    """What the target was for each image, where its name depends on the run (see `guessed`)."""


def backward(net: Net, pixels: Float[Tensor, "n c h w"], target: Target, rule: Rule | None = None) -> Signal:
    """One backward pass from the target to the pixels, image by image independent."""
    with torch.enable_grad():
        run = net.run(pixels, at=target.layers, rule=rule, grad="pixels")
        scores, gradients = derivative(run, [run.pixels], target, "the pixels")
    return Signal(gradients[0], scores, dict(run.coverage), guessed(target, run))


def derivative(
    run: Run, nodes: Sequence[Tensor | None], target: Target, what: str, first: int | None = None
) -> tuple[Tensor, list[Tensor]]:
    """(scores (N,), d score / d node for each node), image by image independent; of the `first` images alone.

    Refused where the score does not depend on a node.
    """
    scores = scored(target, run)
    wanted = [node for node in nodes if node is not None]
    found = (
        run.gradients(scores[:first].sum(), wanted, allow_unused=True, retain_graph=run.kept)
        if scores.requires_grad
        else (None,) * len(wanted)
    )
    if any(part is None for part in found):
        raise Refused(f"the score of {target} does not depend on {what}: there is no gradient to follow")
    return scores.detach(), [part.detach() for part in found if part is not None]


def signals(net: Net, seen: Images, target: Target, what: str, rule: Rule | None = None) -> Signal:
    """`backward` over all pictures, chunk by chunk."""
    return joined([backward(net, chunk, target, rule) for chunk in chunks(seen.pixels, net, what)])


def joined(parts: Sequence[Signal]) -> Signal:
    """The signals of several chunks as one."""
    coverage: Counter[Met] = Counter()
    for part in parts:
        coverage.update(part.coverage)
    asked = tuple(one for part in parts for one in part.asked)
    return Signal(torch.cat([p.gradient for p in parts]), torch.cat([p.scores for p in parts]), dict(coverage), asked)


def as_inputs(net: Net, pixels: Float[Tensor, "n c h w"], *, divisible: bool = False) -> Float[Tensor, "n c h w"]:
    """What the first layer receives, in units of pixels: (pixels − mean), for products with d score / d pixel.

    As the network's precision holds it; `divisible` is away from zero by as much as rules that hand on R / x keep it.
    """
    std = pixels.new_tensor(net.preprocess.std).view(1, -1, 1, 1)
    like = next((p for p in net.module.parameters() if p.is_floating_point()), pixels)
    seen = net.preprocess.normalise(pixels).to(like.dtype).to(pixels.dtype)
    return (stabilised(seen, least(like.dtype)) if divisible else seen) * std


def as_exact_as(values: Tensor, seen: Images) -> Tensor:
    """float64 where the pixels are; otherwise float32, however exactly it was summed."""
    return values if seen.pixels.dtype == torch.float64 else values.float()


def missed(values: Tensor, wanted: Tensor) -> tuple[float, ...]:
    """Per image: |Σ map − wanted| / |wanted|, of maps (N, …) that should sum to `wanted` (N,)."""
    sums, whole = values.detach().double().reshape(len(values), -1).sum(1), wanted.detach().double()
    return tuple(((sums - whole).abs() / whole.abs().clamp(min=1e-12)).tolist())


def no_rule(coverage: Coverage) -> tuple[Note, ...]:
    """A note on the operations that a rule which should know all met without knowing."""
    plain = [f"{operation} × {times}" for operation, times in uncovered(coverage)]
    return (Note("coverage", f"no rule for {', '.join(plain)}: the plain gradient was used there"),) if plain else ()


def each_or_all(topic: Topic, text: str, images: Sequence[str], every: Sequence[str]) -> tuple[Note, ...]:
    """What is to be said of these images: once where that is every one of several, else of each by name."""
    all_of_them = len(images) == len(every) > 1
    return (Note(topic, text),) if all_of_them else tuple(Note(topic, text, one) for one in images)


def reduced(gradient: Float[Tensor, "n c h w"], reduce: Reduce) -> Float[Tensor, "n h w"]:
    """(N, C, H, W) -> (N, H, W)."""
    if reduce == "signed":
        return gradient.sum(1)
    if reduce == "l2":
        return gradient.square().sum(1).sqrt()
    return gradient.abs().amax(1) if reduce == "max" else gradient.abs().sum(1)


def pixel_map(
    net: Net,
    seen: Images,
    target: Target,
    values: Tensor,
    signal: Signal,
    *,
    unit: str,
    signed: bool,
    error: Tensor | None = None,
    **meta: Any,
) -> Heatmap:
    """A heatmap with one value per pixel of the network's input."""
    return heatmap(
        net,
        seen,
        target,
        values,
        Placement.pixels(),
        signal.scores,
        unit=unit,
        signed=signed,
        coverage=signal.coverage,
        error=error,
        asked=signal.asked,
        **meta,
    )


def heatmap(
    net: Net,
    seen: Images,
    target: Target,
    values: Tensor,
    placement: Placement,
    scores: Tensor,
    *,
    unit: str,
    signed: bool = True,
    notes: tuple[Note, ...] = (),
    error: Tensor | None = None,
    asked: Sequence[Target] = (),
    sign: Sign = "evidence",
    coverage: Coverage | None = None,
    found: Mapping[str, Any] | None = None,
) -> Heatmap:
    """Numbers leave the graph here; maps that say nothing say so. `error`: standard errors, of sampled maps.

    `asked` is what the target was for each image: the class that the best guess was; `found` what else is known of the
    map, see `Meta.found`.
    """
    values = values.detach()
    if not torch.isfinite(values).all():
        raise BadNetwork(
            f"the map for {target} is not finite: the weights of {net.name} hold NaN or infinity, or overflow"
        )
    silent = [name for name, one in zip(seen.ids, values, strict=True) if not one.any()]
    zero = each_or_all("values", "the map is zero everywhere: nothing there moves this score", silent, seen.ids)
    names = called(net, target, asked)
    worst = int(scores.detach().argmax())
    saturated = _saturated(net, asked[worst] if names else target, seen, scores)
    return Heatmap(
        _numbers(values),
        placement,
        seen.views,
        unit=unit,
        signed=signed,
        meta=Meta(
            found={
                **asked_of(names, str(named(target, net))),
                "score": tuple(scores.detach().double().tolist()),
                **({"scores": net.meaning.scores} if target.reads_output else {}),
                **(found or {}),
            },
            coverage=coverage or {},
            notes=(*seen.notes, *notes, *zero, *saturated),
        ),
        error=_numbers(error) if error is not None else None,
        sign=sign,
    )


def _saturated(net: Net, target: Target, seen: Images, scores: Tensor) -> tuple[Note, ...]:
    """A note where the score is a probability near to 1, which hardly anything moves, and on what to ask instead."""
    given = net.meaning.scores == "probabilities"
    if not isinstance(target, (Logit, Top, Probability) if given else Probability):
        return ()
    if float(scores.max()) <= 1 - _SATURATED:
        return ()
    said = f"{named(target, net)} is saturated at {float(scores.max()):.5f}: hardly anything moves it"
    if not given:
        return (Note("values", f"{said}; ask for the class"),)
    rows = net.layers((seen.pixels.shape[-2], seen.pixels.shape[-1])).rows
    heads = [row.name for row in rows if row.kind in ("Linear", "Conv2d")]  # the last that makes one number a class
    unit = net.class_index(target.of_class) if isinstance(target, OfClass) else "UNIT"
    return (Note("values", f"{said}; ask for the logit before it{f', {heads[-1]}:{unit}' if heads else ''}"),)


def _numbers(values: Tensor) -> np.ndarray:
    """float64 stays, everything else leaves as float32."""
    values = values.detach().cpu()
    return (values if values.dtype == torch.float64 else values.float()).numpy()


def called(net: Net, target: Target, asked: Sequence[Target]) -> tuple[str, ...]:
    """What was `asked` of each image as a person would read it; empty where one name stands for all."""
    return tuple(str(named(one, net)) for one in asked) if target.depends_on_run else ()


def asked_of(names: Sequence[str], whole: str) -> dict[str, Any]:
    """What Meta says was asked: each image's own, where they have one, and `whole` of all."""
    return {"target": names[0] if len(names) == 1 else whole} | ({"targets": tuple(names)} if names else {})


def stand_in(net: Net, seen: Images, filling: Fill | Images, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """What stands in for one image (1, C, H, W) in `seen`: its fill, or the given pictures as the network sees them."""
    pixels = seen.pixels
    if not isinstance(filling, Images):
        return filled(pixels, filling, which=(seed, seen.ids[0]))
    given = net.see(filling).pixels
    if given.shape[1:] != pixels.shape[1:]:
        wanted, got = ("×".join(map(str, shape[1:])) for shape in (pixels.shape, given.shape))
        raise PellucidError(f"{filling.ids[0]!r} is {got} for this network, the picture it should stand for {wanted}")
    return given.to(pixels)
