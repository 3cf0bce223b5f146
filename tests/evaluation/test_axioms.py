"""Axioms on small networks: gradients times inputs keep what they should, class maps do not."""

from __future__ import annotations

import torch

from pellucid.evaluation.axioms import AXIOMS, kept
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.small import KINDS, SIDE, Mirrored, Rewritten, Summed, Trunk, image, small


def test_the_networks_are_what_they_are_said_to_be() -> None:
    pixels = image(0).pictures[0].double()[None]
    mirrored = image(0, mirrored=True).pictures[0].double()
    assert torch.allclose(mirrored, mirrored.flip(-1), atol=1e-6)
    one, two = (small(kind, 0).run(pixels).scores for kind in (Trunk, Rewritten))
    assert torch.allclose(one, two, atol=1e-10)
    alike = small(Mirrored, 0)
    assert torch.allclose(alike.run(pixels).scores, alike.run(pixels.flip(-1)).scores, atol=1e-10)
    both = small(Summed, 0).run(pixels).scores[0]
    assert torch.allclose(both[2], both[0] + both[1])
    for name, made in KINDS.items():
        assert small(made, 0).run(pixels).scores.shape == (1, 3), name


def test_who_keeps_what() -> None:
    of = Explainers.of("gradient_times_input,integrated_gradients,gradient,cam")
    product, integral, slope, cam = (kept(one, 1, 0) for one in of.each)
    assert (product.errors[1:] < 1e-6).all()
    assert integral.errors[AXIOMS.index("completeness")] < 0.05
    assert slope.errors[AXIOMS.index("linearity")] > 0.01
    assert "attention" in cam.refused
    assert "plain" in cam.served
    assert SIDE == 32
