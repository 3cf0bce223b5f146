"""Axioms on networks of known truth."""

from __future__ import annotations

import pytest

import pellucid as pl
from tests.evaluation.networks import weighted


@pytest.mark.slow
def test_findings_name_who_keeps_each_axiom() -> None:
    found = pl.quality.axioms(weighted(), of="gradient_times_input,grad_cam,cam", networks=1)
    assert any(line.startswith("linearity: kept by 3 of 3") for line in found.findings)
    served = dict(zip(found["axioms"]["method"], found["axioms"]["served"], strict=True))
    assert served["gradient_times_input"] == 1
    assert served["cam"] < 1


@pytest.mark.slow
def test_completeness_within_the_tolerance_that_a_method_stops_at_is_kept() -> None:
    """Adaptive integrated gradients go on until the sum is right to 1 %; no other axiom has such a tolerance."""
    found = pl.quality.axioms(weighted(), of="integrated_gradients,lrp", networks=1)
    error = found["axioms"]["completeness"]
    assert 1e-3 < error[0] < 1e-2
    assert error[1] > 0.02
    assert "completeness: kept by 1 of 2: integrated_gradients" in found.findings
