"""The identity of weights: right after every kind of edit, and free where nothing changed."""

from __future__ import annotations

import copy
import hashlib
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.net import Net, identity
from pellucid.net.identity import _mix, _mixed, checksum, raw


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = nn.Conv2d(16, 64, 5), nn.BatchNorm2d(64), nn.Conv2d(64, 2042, 1), nn.Linear(7, 3)
        return nn.Sequential(*parts).to(dtype)


def plain(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(raw(tensor))
    return digest.hexdigest()


def smallest(module: nn.Module) -> None:
    value = module[0].weight.data.view(-1)
    value[777] = torch.nextafter(value[777], torch.tensor(9.0))


def exchanged(module: nn.Module) -> None:
    weight = module[2].weight.data
    weight[[3, 1024]] = weight[[1024, 3]].clone()  # at a distance that keeps the sums of columns


EDITS = {
    "one bit of one weight, through .data": smallest,
    "two filters exchanged, through .data": exchanged,
    "a sign": lambda module: module[3].bias.data.neg_(),
    "a step of an optimizer": lambda module: module[0].weight.data.add_(1e-3),
    "statistics": lambda module: module[1].running_var.mul_(2),
    "a counter": lambda module: module[1].num_batches_tracked.add_(1),
    "another tensor in its place": lambda module: setattr(module[3], "bias", nn.Parameter(torch.zeros(3))),
    "a part replaced": lambda module: module.__setitem__(3, nn.Linear(7, 3)),
    "a buffer more": lambda module: module.register_buffer("more", torch.ones(1)),
    "half precision": lambda module: module.half(),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_is_seen(edit: object) -> None:
    module = network()
    net, before = Net(module), Net(module).weights
    assert before == plain(module)
    edit(module)  # type: ignore[operator]
    assert net.weights == plain(module) != before


def test_nothing_is_hashed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    module = network()
    first = Net(module).weights
    monkeypatch.setattr(identity, "sha256", lambda _: pytest.fail("hashed again"))
    assert Net(module).weights == first  # another Net around the same module
    module[0].weight.data += 0
    assert Net(module).weights == first


def test_the_order_of_axes_in_memory_and_the_device_are_no_part_of_it() -> None:
    module = network()
    before = Net(module).weights
    assert Net(copy.deepcopy(module).to(memory_format=torch.channels_last)).weights == before


def test_tensors_of_every_kind() -> None:
    module = network(torch.bfloat16)
    module.register_buffer("sparse", torch.eye(5).to_sparse())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows of sparse tensors are in beta state
        module.register_buffer("rows", torch.eye(5).to_sparse_csr())
    module.register_buffer("none", torch.zeros(0, 3))
    module.register_buffer("complex", torch.ones(3, dtype=torch.complex64).conj())
    module.register_buffer("spread", torch.ones(1).expand(4))
    module.register_buffer("meta", torch.ones(3, device="meta"))
    before = Net(module).weights
    module.sparse.values().mul_(2)  # type: ignore[operator, union-attr]
    assert Net(module).weights != before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantization moves to another package
        quantized, other = (quantized_linear(seed) for seed in (0, 1))
    assert Net(quantized).weights != Net(other).weights


def quantized_linear(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4)), {nn.Linear}, dtype=torch.qint8)


def test_the_checksum_of_other_devices_sees_values_and_places() -> None:
    """The arithmetic that a GPU does, done here."""
    tensors = [torch.rand(300, 7), torch.arange(5), torch.rand(3).half()]
    before = _mixed(tensors)
    assert _mixed([tensor.clone() for tensor in tensors]) == before
    for i, tensor in enumerate(tensors):
        for place in range(0, tensor.numel(), 97):
            changed = [one.clone() for one in tensors]
            changed[i].view(-1)[place] += 1
            assert _mixed(changed) != before
    turned = [tensors[0].flip(0), *tensors[1:]]
    assert _mixed(turned) != before
    assert int(_mix(torch.zeros(8, dtype=torch.uint8))) != int(_mix(torch.zeros(16, dtype=torch.uint8)))


def test_a_checksum_is_the_same_for_the_same_weights() -> None:
    weights = [(name, tensor) for name, tensor in network().state_dict().items()]
    copies = [(name, tensor.clone()) for name, tensor in weights]
    assert checksum(weights) == checksum(copies)
    assert raw(torch.arange(3, dtype=torch.int16)) == np.arange(3, dtype=np.int16).tobytes()
