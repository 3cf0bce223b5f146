"""Images that must not run together: found out once for each network, and then run one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pellucid.errors import BadNetwork, Refused
from pellucid.net import tap
from pellucid.net.clips import Clips, Watcher
from pellucid.net.conduct import ONE_BY_ONE, Conduct, tensors_of
from pellucid.net.guard import undisturbed
from pellucid.net.tap import Edit
from pellucid.result.coverage import Met

if TYPE_CHECKING:
    from pellucid.net import Net

_ROUNDING = 128
"""Units in the last place of the largest output, which differ where torch sums in another order for two images."""


def notes(module: nn.Module) -> tuple[str, ...]:
    """What every result about the network says of its conduct."""
    return Conduct.of(module).notes


def inputs_of(net: Net, pixels: Tensor) -> Tensor:
    """Pixels as the module takes them: normalized, on its device and in its type."""
    like = next((p for p in net.module.parameters() if p.is_floating_point()), pixels)
    inputs = net.preprocess.normalize(pixels.to(like.device)).to(like.dtype)
    return inputs.clone() if inputs.is_inference() else inputs  # which no graph may keep


def forward(net: Net, inputs: Tensor, **how: Any) -> tuple[Any, dict[str, Tensor], dict[Met, int]]:
    """`tap.forward` for several images: together, or one by one where they would change one another."""
    module, many = net.module, len(inputs) > 1
    if not (many and alone(net, (inputs.shape[-2], inputs.shape[-1]))):
        answer = tap.forward(module, inputs, **how)
        if not (many and Conduct.of(module).draws):
            return answer
    return each(module, inputs, **how)  # also where only this pass has shown that it draws random numbers


def alone(net: Net, size: tuple[int, int]) -> bool:
    """Whether images must run one by one: the network draws random numbers, or one image is changed by another.

    Looked into once for each module, and only where the pass of its layer table met operations that may mix images.
    """
    module, known = net.module, Conduct.of(net.module)
    if known.mixes is None and not known.mixing:
        try:
            net.layers(size)
        except Refused:  # TorchScript is never traced
            known.mixes = False
    if known.mixes is None and known.mixing and not known.draws:
        inputs = inputs_of(net, unlike((2, net.preprocess.channels or 3, *size)))
        with undisturbed(module), torch.no_grad():
            ones = [tap.called(module, one) for one in inputs.split(1)]
            try:
                known.mixes = not _apart(tap.called(module, inputs), *ones)
            except BadNetwork:  # takes one image at a time
                known.mixes = True
    return known.alone


def unlike(shape: tuple[int, ...]) -> Tensor:
    """Two images as unlike as can be: noise, and a little noise on white."""
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    noise[1] = noise[1] / 8 + 0.875
    return noise


def _apart(together: Any, *alone: Any) -> bool:
    """Whether the outputs of two images are, beyond rounding, what they are when each runs alone.

    Outputs without a row for each image, such as a loss, are not compared.
    """
    for pair, *ones in zip(*map(tensors_of, (together, *alone)), strict=False):
        if not pair.is_floating_point() or not pair.numel() or pair.shape != torch.Size([2, *ones[0].shape[1:]]):
            continue
        wanted = torch.cat(ones)
        if torch.isfinite(wanted).all() and not _close(pair, wanted):
            return False
    return True


def alike(together: Any, *alone: Any) -> bool:
    """Whether a pass returned just the rows that passes of one row each did, up to rounding."""
    tensors = [tensors_of(one) for one in (together, *alone)]
    return len({len(some) for some in tensors}) == 1 and all(
        both.dim() > 0 and both.shape == torch.Size([len(ones), *ones[0].shape[1:]]) and _close(both, torch.cat(ones))
        for both, *ones in zip(*tensors, strict=True)
    )


def _close(found: Tensor, wanted: Tensor) -> bool:
    """Whether they differ by rounding alone; False where a number is not finite."""
    if not wanted.is_floating_point() or not wanted.numel():
        return torch.equal(found, wanted)
    allowed = _ROUNDING * torch.finfo(wanted.dtype).eps * float(wanted.double().abs().max())
    return float((found.double() - wanted.double()).abs().max()) <= allowed


def each(module: nn.Module, inputs: Tensor, **how: Any) -> tuple[Any, dict[str, Tensor], dict[Met, int]]:
    """`forward` for images that must not run together: one pass for each, and the answers as one."""
    how["edit"] = {name: _of_one(edit) for name, edit in (how["edit"] or {}).items()}
    passes = [tap.forward(module, one, **how) for one in inputs.split(1)]
    outputs, found, coverage = zip(*passes, strict=True)
    tapped = {name: torch.cat([one[name] for one in found]) for name in found[0]}
    return _joined(outputs), tapped, dict(sum(map(Counter, coverage), Counter[Met]()))


def _of_one(edit: Edit) -> Edit:
    """An edit that must do with the output for one image what it does with those for several."""

    def edited(output: Tensor) -> Tensor:
        value = edit(output)
        if len(value) != len(output):
            raise Refused(f"{ONE_BY_ONE}, so an edit is shown one at a time; this one gave {len(value)}")
        return value

    return edited


def _joined(values: Sequence[Any]) -> Any:
    """What a network returned for one image after the other, as it returns it for several."""
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat([value if value.dim() else value[None] for value in values])
    if isinstance(first, Mapping):
        return {key: _joined([value[key] for value in values]) for key in first}
    if isinstance(first, (tuple, list)) and all(isinstance(part, Mapping) for part in first):
        return [part for value in values for part in value]  # a detector's answer, which has an entry for each image
    if isinstance(first, (tuple, list)):
        parts = [_joined(some) for some in zip(*values, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if first is None:
        return None
    raise Refused(f"{ONE_BY_ONE}, and what it returns, a {type(first).__name__}, cannot be joined: ask image by image")


def observe_each(
    module: nn.Module,
    batches: Iterable[Tensor],
    watch: Mapping[str, Watcher],
    clips: Clips | None = None,
) -> None:
    """`tap.observe` for images that must not run together: the layers of a batch are shown when all of it has run."""

    def keeping(outputs: list[Tensor]) -> Watcher:
        return lambda output: outputs.append(output.clone())

    shown = clips.shown if clips is not None else {}
    for inputs in batches:
        kept: dict[str, list[Tensor]] = {name: [] for name in watch}
        received: dict[str, list[Tensor]] = {name: [] for name in shown}
        before = Clips({name: (shown[name][0], keeping(outputs)) for name, outputs in received.items()})
        for one in inputs.split(1):
            watchers = {name: keeping(outputs) for name, outputs in kept.items()}
            tap.observe(module, [one], watchers, before if shown else None)
        for name, outputs in received.items():
            shown[name][1](torch.cat(outputs))
        for name, outputs in kept.items():
            watch[name](torch.cat(outputs))
