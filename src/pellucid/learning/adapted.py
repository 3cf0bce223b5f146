"""A network made at home in other images without their labels: the statistics of its batch norms collected anew."""

from __future__ import annotations

from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.net.norms import Collecting

BATCH = 64
"""Images whose statistics a norm uses while those behind it are collected: a fixed number, whatever memory holds."""


def reestimated(net: Net, pixels: Tensor) -> Net:
    """The network with means and variances of its batch norms taken from these images, (N, C, H, W) in 0..1 as the
    network sees them (Li et al. 2017, adaptive batch normalization); its weights stay. Each norm is collected behind
    others that use the statistics of their batch of 64. Refused where it has no such norms, or calls one twice.
    """
    names = [row.name for row in net.layers((pixels.shape[-2], pixels.shape[-1])).rows if _collects(net, row.name)]
    if not names:
        raise Refused(f"{net.name} has no batch norms with statistics that could be collected anew")
    if any("#" in name for name in names):
        raise Refused(f"{net.name} uses a batch norm again, for what cannot have one pair of statistics")
    collecting = Collecting()
    cuts = [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)]
    if len(cuts) > 1 and len(cuts[-1]) < BATCH // 4:
        cuts = [*cuts[:-2], pixels[(len(cuts) - 2) * BATCH :]]
    for some in cuts:
        collecting.calls = 0
        with collecting:
            net.run(some)
    found = collecting.statistics()
    if len(found) != len(names):
        raise Refused(f"{net.name} calls {len(found)} batch norms, of which {len(names)} are modules")
    values: dict[str, Tensor] = {}
    for name, (mean, variance) in zip(names, found, strict=True):
        kept: Tensor = net.module.get_submodule(name).running_mean  # type: ignore[assignment]
        values |= {f"{name}.running_mean": mean.to(kept), f"{name}.running_var": variance.to(kept)}
    return net.with_weights(values)


def _collects(net: Net, name: str) -> bool:
    part = net.module.get_submodule(name.partition("#")[0])
    return isinstance(part, _NormBase) and part.running_mean is not None
