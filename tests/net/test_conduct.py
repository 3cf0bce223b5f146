"""Random numbers, images that change one another, hooks of others: found out, and then run one by one or said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune, spectral_norm

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import TOPOLOGIES, seeded

A = pl.attribution


class Mean(nn.Module):
    """A small classifier; `way` is done to the maps of its first convolution."""

    def __init__(self, way: Callable[[Mean, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.next, self.head, self.way = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3), way
        self.chance, self.own = np.random.default_rng(0), torch.Generator().manual_seed(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.next(self.way(self, self.conv(x)))).mean((2, 3)))


def pictures(n: int = 3) -> Images:
    chance = torch.Generator().manual_seed(2)
    return Images.from_pictures(list(torch.rand(n, 3, 12, 12, generator=chance)), [f"p{i}" for i in range(n)])


def without(module: Mean) -> Mean:
    del module.chance, module.own
    return module


RANDOM: dict[str, Callable[[Mean, Tensor], Tensor]] = {
    "dropout": lambda _, h: F.dropout(h, 0.5),
    "dropout2d": lambda _, h: F.dropout2d(h, 0.3, training=True),
    "noise": lambda _, h: h + 0.1 * torch.randn_like(h),
    "shuffled": lambda _, h: h[:, torch.randperm(4)],
    "numpy": lambda _, h: h * float(np.random.rand()),  # noqa: NPY002
}
MIXING: dict[str, Callable[[Mean, Tensor], Tensor]] = {
    "batch norm": lambda _, h: F.batch_norm(h, None, None, training=True),
    "centered": lambda _, h: h - h.mean(0, keepdim=True),
    "scaled by the largest": lambda _, h: h / h.max(),
    "attention over images": lambda _, h: torch.einsum("nm,mchw->nchw", _gram(h), h),
    "pairs": lambda _, h: h + (h[:, None] - h[None]).abs().mean(1),
    "next": lambda _, h: h + h.roll(1, 0),
}
APART: dict[str, Callable[[Mean, Tensor], Tensor]] = {
    "instance norm": lambda _, h: F.instance_norm(h),
    "group norm": lambda _, h: F.group_norm(h, 2),
    "gated": lambda _, h: h * h.mean((2, 3), keepdim=True).sigmoid(),
    "tokens": lambda _, h: h.flatten(2).permute(2, 0, 1).softmax(-1).permute(1, 2, 0).reshape(h.shape),
    "windows": lambda _, h: h.unfold(2, 3, 1).amax(-1),
}


def _gram(h: Tensor) -> Tensor:
    return (h.flatten(1) @ h.flatten(1).T).softmax(1)


@pytest.mark.parametrize("way", RANDOM)
def test_random_networks_answer_the_same_question_alike(way: str) -> None:
    net = Net(without(Mean(RANDOM[way])), preprocess=Preprocess())
    torch.manual_seed(1)
    first = A.gradient(net, pictures(), 1)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    again = A.gradient(Net(net.module, preprocess=Preprocess()), pictures(), 1)
    assert np.array_equal(first.values, again.values)
    for i in range(3):  # whatever it is shown with
        assert np.array_equal(A.gradient(net, pictures()[i], 1).values, first.values[i : i + 1])
    assert any("random" in note for note in first.meta.said)
    assert any("random" in note for note in net.predict(pictures()).meta.said)


@pytest.mark.parametrize("own", [False, True])
def test_generators_of_their_own(own: bool) -> None:
    def way(net: Mean, h: Tensor) -> Tensor:
        return h + (torch.rand(h.shape, generator=net.own) if own else float(net.chance.random()))

    net = Net(Mean(way), preprocess=Preprocess())
    one, two = (net.run(pictures()).output for _ in range(2))
    assert torch.equal(one, two)
    assert any("random" in note.text for note in net.notes)
    assert torch.equal(one[2:], net.run(pictures()[2]).output)
    assert torch.equal(net.module.own.get_state(), torch.Generator().manual_seed(0).get_state())
    assert net.module.chance.random() == np.random.default_rng(0).random()


def test_covers_are_compared_like_with_like() -> None:
    module = without(Mean(RANDOM["dropout"]))
    module.conv.weight.data.zero_()
    assert not A.occlusion(Net(module, preprocess=Preprocess()), pictures(1), 1, size=4, stride=4).values.any()


@pytest.mark.parametrize("way", MIXING)
def test_images_that_change_one_another_run_one_by_one(way: str) -> None:
    net = Net(without(Mean(MIXING[way])), preprocess=Preprocess())
    for method in (A.gradient, A.grad_cam, A.occlusion)[: 3 if way == "centered" else 2]:
        how = {"size": 12, "stride": 12} if method is A.occlusion else {}
        whole = method(net, pictures(), 1, **how)
        alone = [method(Net(net.module, preprocess=Preprocess()), pictures()[i], 1, **how).values for i in range(3)]
        assert np.array_equal(whole.values, np.concatenate(alone))
        assert any("one by one" in note for note in whole.meta.said)
    assert torch.equal(net.run(pictures()).output[1:2], net.run(pictures()[1]).output)
    seen: list[Tensor] = []
    net.observe(pictures(2).pixels, {"next": lambda _, output: seen.append(output.clone())}, at_once=2)
    assert len(seen) == 1
    assert torch.equal(seen[0][:1], net.run(pictures(1), layers=["next"])["next"])


@pytest.mark.parametrize("way", APART)
def test_images_that_keep_apart_run_together_without_a_word(way: str) -> None:
    net = Net(without(Mean(APART[way])), preprocess=Preprocess())
    assert net.chunk((12, 12), grad=True) > 1
    A.gradient(net, pictures(), 1)
    assert not net.notes


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_ordinary_networks_pay_nothing(topology: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = seeded(TOPOLOGIES[topology])
    net, runs, plain = Net(module, preprocess=Preprocess()), [], type(module).forward
    monkeypatch.setattr(type(module), "forward", lambda self, x: runs.append(len(x)) or plain(self, x))
    net.layers((9, 9))
    for n in (1, 3):
        net.run(torch.rand(n, 3, 9, 9, dtype=torch.float64))
    assert net.chunk((9, 9), grad=True) > 1
    assert runs == [1, 1, 3]
    assert not net.notes


def test_hooks_of_others_are_said() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    net = Net(module, preprocess=Preprocess(), scores="logits")
    assert not A.gradient(net, pictures(1), 1).meta.said
    handles = [
        module[1].register_forward_hook(lambda *_: None),
        module[0].register_forward_pre_hook(lambda *_: None),
        module[4].register_full_backward_hook(lambda *_: None),
    ]
    for ask in (lambda: A.gradient(net, pictures(1), 1), lambda: net.predict(pictures(1))):
        (note,) = ask().meta.said
        assert "3 layers (0, 1, 4)" in note
        assert "hooks" in note
    for handle in handles:
        handle.remove()
    assert not A.gradient(net, pictures(1), 1).meta.said
    everywhere = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert any("all modules" in note for note in A.gradient(net, pictures(1), 1).meta.said)
    finally:
        everywhere.remove()


def test_hooks_of_torch_are_not_said() -> None:
    module = nn.Sequential(spectral_norm(nn.Conv2d(3, 4, 3)), parametrizations.weight_norm(nn.Conv2d(4, 4, 3)),
                           prune.l1_unstructured(nn.Conv2d(4, 4, 3), "weight", 0.5), nn.Flatten())  # fmt: skip
    assert not A.gradient(Net(module, preprocess=Preprocess()), pictures(1), "out[0]").meta.said
