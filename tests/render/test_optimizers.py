"""Ways uphill, against torch's own where it has them."""

from __future__ import annotations

import pytest
import torch

from pellucid.render.optimizers import Adam


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("nesterov", [False, True])
def test_adam_is_that_of_torch_in_every_bit(nesterov: bool, kind: torch.dtype) -> None:
    """Also where numbers are changed between two steps, as a prior does."""
    numbers = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).to(kind)
    leaf, step = numbers.clone(), Adam(0.07, nesterov).begin()
    theirs = (torch.optim.NAdam if nesterov else torch.optim.Adam)([leaf], lr=0.07, foreach=False)
    for k in range(40):
        slope = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(k + 1)).to(kind) * 10.0 ** (k % 5 - 2)
        leaf.grad = -slope
        theirs.step()
        before = numbers.clone()
        after = step(numbers, slope)
        assert torch.equal(numbers, before)
        assert torch.equal(after, leaf), k
        numbers = after * 0.99
        leaf.copy_(numbers)
