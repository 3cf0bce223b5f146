"""What a call may cost: forward passes, backward passes and hashes of each method, counted on its second call."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.catalogue import Entry, entries
from pellucid.net import identity
from pellucid.target import Target, Targets
from tests.test_every_method import QUICK, Tiny, indexed, nouns, photos, tiny

CELLS, CHANNELS = 16, 12
"""Covers of 8 × 8 on 32 × 32 pixels; channels of the last layer with places."""
ONE = (1, 1)
BUDGETS: dict[str, tuple[int, int]] = {
    # images that go forward, images that go backward; with the options of QUICK, for one image whose class nobody named
    **dict.fromkeys(("gradient", "gradient_times_input", "guided_backprop", "deconvnet", "full_grad", "lrp"), ONE),
    **dict.fromkeys(("grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam", "x_grad_cam"), ONE),
    "eigen_cam": (1, 0),
    "deep_lift": (2, 2),  # the image and its reference
    "cam": (2, 1),  # once more without the maps, to test that the head is linear
    "finer_cam": (2, 1),  # the classes most alike are found first
    "guided_grad_cam": (2, 2),
    "excitation_backprop": (2, 4),  # with and without contrast, each after a look at what the target wants
    "ablation_cam": (5, 0),  # what comes before the layer: for all channels once, three times to try whether it may be
    "score_cam": (1 + CHANNELS, 0),
    "occlusion": (1 + CELLS, 0),
    "occlusion_rank": (1 + CELLS, 0),
    "occlusion_products": (1 + CELLS, 0),
    "occlusion_labels": (CELLS, 0),
    "occlusion_sizes": (60, 0),
    "rise": (1 + 20, 0),
    "sobol": (1 + 4 * (2 + 9), 0),
    "lime": (1 + 2 + 40, 0),  # all hidden, all shown
    "kernel_shap": (1 + 2 + 40, 0),
    "shapley_sampling": (1 + 2 + 3 * 5, 0),
    "smooth_grad": (1 + 4, 4),
    "integrated_gradients": (1 + 4 + 5, 4),  # scores at the ends of cells
    "blur_integrated_gradients": (1 + 4 + 5, 4),
    "xrai": (1 + 2 * (4 + 5), 8),
    "expected_gradients": (1 + 4 + 14, 4),  # the scores of the 14 references
    "guided_integrated_gradients": (1 + 5, 5),
    "extremal_perturbation": (202, 3),
    "maps": (1, 0),
    "profile": (5, 0),  # which zeros are padding is seen in passes over other pictures
}
COUNTED = [entry for entry in entries() if entry.name in BUDGETS]


def count(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what passes through the tiny network, and whoever reads its weights."""
    counts: Counter[str] = Counter()
    forward = Tiny.forward

    class Met(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, signal: Tensor) -> Tensor:
            counts["backward"] += len(signal)
            return signal

    def counted(self: Tiny, x: Tensor) -> Tensor:
        counts["forward"] += len(x)
        output = forward(self, x)
        return Met.apply(output) if output.requires_grad else output

    def summed(weights: Any) -> Any:
        counts["checksums"] += 1
        return checksum(weights)

    def hashed(weights: Any) -> str:
        counts["hashes"] += 1
        return sha256(weights)

    checksum, sha256 = identity.checksum, identity.sha256
    monkeypatch.setattr(Tiny, "forward", counted)
    monkeypatch.setattr(identity, "checksum", summed)
    monkeypatch.setattr(identity, "sha256", hashed)
    return counts


def test_every_attribution_method_states_its_budget() -> None:
    assert {e.name for e in entries() if e.chapter == "attribution"} <= BUDGETS.keys()


@pytest.mark.parametrize("entry", COUNTED, ids=lambda entry: entry.name)
def test_costs_what_it_states(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming the best guess costs no pass, the layer table is made once, and weights are read once and not hashed."""
    net, counts = tiny(), count(monkeypatch)
    given = nouns(entry, net, photos(1)) | entry.placed({Target: None, Targets: None})
    options = QUICK.get(entry.name, {})
    entry.function(**given, **options)
    counts.clear()
    entry.function(**given, **options)
    forward, backward = BUDGETS[entry.name]
    assert counts["forward"] <= forward
    assert counts["backward"] <= backward
    assert counts["hashes"] == 0
    assert counts["checksums"] <= 1


def test_several_targets_share_a_forward_pass_and_a_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    net, image, counts = tiny(), photos(1), count(monkeypatch)
    pl.attribution.grad_cam(net, image)
    counts.clear()
    pl.attribution.grad_cam(net, image, ["cat", "dog", "cow"])
    assert counts == {"forward": 1, "backward": 3, "checksums": 1}


def test_explain_hashes_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    net, image, counts = tiny(), photos(1), count(monkeypatch)
    pl.explain(net, image, classes=3, methods=("grad_cam", "guided_backprop"))
    assert counts["hashes"] == 1
    assert counts["checksums"] == 1


def test_whatever_reads_an_index_hashes_the_network_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny()
    index, counts = indexed(net), count(monkeypatch)
    pl.units.page(index, "block:5", count=4, feature=4)
    assert counts["hashes"] == 0
