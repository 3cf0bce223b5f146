"""Axioms on small networks: for each who keeps it and who does not, as the literature has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.evaluation.axioms import AXIOMS, broken, kept
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.small import KINDS, SIDE, Mirrored, Reflected, Rewritten, Summed, Trunk, Unbiased, image, small

KEEPS = {
    "completeness": ("deep_lift", "full_grad"),
    "conservation": ("lrp:composite=epsilon", "excitation_backprop:contrastive=false", "gradient_times_input"),
    "dummy": ("gradient", "integrated_gradients"),
    "symmetry": ("gradient", "integrated_gradients"),
    "linearity": ("gradient_times_input", "grad_cam"),
    "implementation invariance": ("gradient", "gradient_times_input"),
}
BREAKS = {
    "completeness": {"lrp:composite=epsilon": "biases take their part of the relevance"},
    "conservation": {"occlusion": "windows one by one", "layer_cam": "what is negative is cut off at every place"},
    "dummy": {"rise": "masks are random, and few", "grad_cam": "a cell sees beyond its own pixels"},
    "symmetry": {"rise": "masks are random", "smooth_grad": "noise is random"},
    "linearity": {"deconvnet": "what goes back is rectified", "grad_cam_plus_plus": "so are the gradients"},
    "implementation invariance": {
        "guided_backprop": "a rule for rectifiers", "deep_lift": "a rule for rectifiers", "lrp": "rules for layers",
    },
}  # fmt: skip
"""Axiom -> method that breaks it, and why (Sundararajan et al. 2017; Adebayo et al. 2018; Bach et al. 2015)."""


def test_the_networks_are_what_they_are_said_to_be() -> None:
    pixels = image(0).pictures[0].double()[None]
    mirrored = image(0, mirrored=True).pictures[0].double()
    assert torch.allclose(mirrored, mirrored.flip(-1), atol=1e-6)
    one, *others = (small(kind, 0).run(pixels).scores for kind in (Trunk, Rewritten, Reflected))
    assert all(torch.allclose(one, two, atol=1e-10) for two in others)
    bare = small(Unbiased, 0)
    whole, half, none = (bare.run(share * pixels).scores for share in (1, 0.5, 0))
    assert torch.allclose(half, whole / 2, atol=1e-10)
    assert not none.any()
    alike = small(Mirrored, 0)
    assert torch.allclose(alike.run(pixels).scores, alike.run(pixels.flip(-1)).scores, atol=1e-10)
    both = small(Summed, 0).run(pixels).scores[0]
    assert torch.allclose(both[2], both[0] + both[1])
    for name, made in KINDS.items():
        assert small(made, 0).run(pixels).scores.shape == (1, 3), name


@pytest.mark.parametrize("axiom", AXIOMS)
def test_each_axiom_is_kept_by_some_and_broken_by_others(axiom: str) -> None:
    for name in KEEPS[axiom]:
        assert broken(axiom, *Explainers.of(name).each, 0) < 2e-4, name
    for name, why in BREAKS[axiom].items():
        assert broken(axiom, *Explainers.of(name).each, 0) > 0.02, (name, why)


def test_a_method_without_the_claim_has_no_figure() -> None:
    """Slopes have no sum, and a difference of two probabilities is neither of them."""
    for axiom, name in (
        ("completeness", "gradient"),
        ("conservation", "gradient"),
        ("conservation", "excitation_backprop"),
    ):
        assert np.isnan(broken(axiom, *Explainers.of(name).each, 0)), (axiom, name)


def test_the_error_of_conservation_is_what_a_sum_misses_of_the_score() -> None:
    """Of LRP nothing, of occlusion by tiles what the network says of the image less one tile at a time, in a loop."""
    net, pixels = small(Unbiased, 3), image(3).pictures[0].double()
    score = float(net.run(pixels[None]).scores[0, 0])
    assert pl.attribution.lrp(net, image(3), 0, composite="epsilon").values.sum() == pytest.approx(score, rel=1e-4)
    tiles = [(slice(top, top + 8), slice(left, left + 8)) for top in range(0, SIDE, 8) for left in range(0, SIDE, 8)]
    total = 0.0
    for rows, columns in tiles:
        covered = pixels.clone()
        covered[:, rows, columns] = 0
        total += score - float(net.run(covered[None]).scores[0, 0])
    (asked,) = Explainers.of("occlusion:size=56,stride=56,fill=black").each  # of a photo of 224: 8 pixels here
    found = broken("conservation", asked, 3)
    assert found == pytest.approx(abs(total - score) / max(abs(total), abs(score)), rel=1e-6)
    assert found > 0.02


def test_all_of_it_of_one_method() -> None:
    product, cam = (kept(one, 1, 0) for one in Explainers.of("gradient_times_input,cam").each)
    assert np.isnan(product.errors[AXIOMS.index("completeness")])
    assert (product.errors[1:] < 1e-6).all()
    assert "attention" in cam.refused
    assert "plain" in cam.served
    integral = broken("completeness", *Explainers.of("integrated_gradients").each, 0)
    assert 0 < integral < 0.02, "as exact as its quadrature"
