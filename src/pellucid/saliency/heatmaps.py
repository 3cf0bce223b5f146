"""From numbers to a heatmap: what every map says of itself, and what a picture of it would hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import BadNetwork
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note, each_or_all
from pellucid.result import Heatmap, Meta
from pellucid.result.coverage import Coverage, uncovered
from pellucid.result.maps import Sign
from pellucid.saliency.backward import Signal
from pellucid.target import Logit, Probability, Target, Top, named

SATURATED = 0.99
"""Of a probability: from here on its slope, p (1 − p) of the logit's, is at most a hundredth of it."""


def pixel_map(
    net: Net,
    prepared: Images,
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
        prepared,
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
    prepared: Images,
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
    silent = [name for name, one in zip(prepared.ids, values, strict=True) if not one.any()]
    zero = each_or_all("values", "the map is zero everywhere: nothing there moves this score", silent, prepared.ids)
    names = called(net, target, asked)
    worst = int(scores.detach().argmax())
    saturated = _saturated(net, asked[worst] if names else target, prepared, scores)
    return Heatmap(
        _numbers(values),
        placement,
        prepared.views,
        unit=unit,
        signed=signed,
        meta=Meta(
            found={
                **asked_of(net, target, asked),
                "score": tuple(scores.detach().double().tolist()),
                **({"scores": net.meaning.scores} if target.reads_output else {}),
                **(found or {}),
            },
            coverage=coverage or {},
            notes=(*prepared.notes, *notes, *zero, *saturated),
        ),
        error=_numbers(error) if error is not None else None,
        sign=sign,
    )


def _saturated(net: Net, target: Target, prepared: Images, scores: Tensor) -> tuple[Note, ...]:
    """A note where the score is a probability near to 1, which hardly anything moves, and on what to ask instead."""
    given = net.meaning.scores == "probabilities"
    if not isinstance(target, (Logit, Top, Probability) if given else Probability):
        return ()
    if float(scores.max()) < SATURATED:
        return ()
    said = f"{named(target, net)} is saturated at {float(scores.max()):.5f}: hardly anything moves it"
    if not given:
        return (Note("values", f"{said}; ask for the class"),)
    rows = net.layers((prepared.pixels.shape[-2], prepared.pixels.shape[-1])).rows
    heads = [row.name for row in rows if row.kind in ("Linear", "Conv2d")]  # the last that makes one number a class
    unit = net.class_index(target.class_asked) if target.class_asked is not None else "UNIT"
    return (Note("values", f"{said}; ask for the logit before it{f', {heads[-1]}:{unit}' if heads else ''}"),)


def _numbers(values: Tensor) -> np.ndarray:
    """float64 stays, everything else leaves as float32."""
    values = values.detach().cpu()
    return (values if values.dtype == torch.float64 else values.float()).numpy()


def called(net: Net, target: Target, asked: Sequence[Target]) -> tuple[str, ...]:
    """What was `asked` of each image as a person would read it; empty where one name stands for all."""
    return tuple(str(named(one, net)) for one in asked) if target.depends_on_run else ()


def asked_of(net: Net, target: Target, asked: Sequence[Target]) -> dict[str, Any]:
    """What `Meta.found` says was asked: of each image its own, where the image decides it, and the target of all."""
    names = called(net, target, asked)
    whole = {"target": names[0] if len(names) == 1 else str(named(target, net))}
    return whole | ({"targets": names} if names else {})


def as_exact_as(values: Tensor, prepared: Images) -> Tensor:
    """float64 where the pixels are; otherwise float32, however exactly it was summed."""
    return values if prepared.pixels.dtype == torch.float64 else values.float()


def missed(values: Tensor, wanted: Tensor) -> tuple[float, ...]:
    """Per image: |Σ map − wanted| / |wanted|, of maps (N, …) that should sum to `wanted` (N,)."""
    sums, whole = values.detach().double().reshape(len(values), -1).sum(1), wanted.detach().double()
    return tuple(((sums - whole).abs() / whole.abs().clamp(min=1e-12)).tolist())


def no_rule(coverage: Coverage) -> tuple[Note, ...]:
    """A note on the operations that a rule which should know all met without knowing."""
    plain = [f"{operation} × {times}" for operation, times in uncovered(coverage)]
    return (Note("coverage", f"no rule for {', '.join(plain)}: the plain gradient was used there"),) if plain else ()
