"""Axioms on networks of known truth."""

from __future__ import annotations

import pellucid as pl
from tests.evaluation.networks import weighted


def test_findings_name_who_keeps_each_axiom() -> None:
    found = pl.quality.axioms(weighted(), of="gradient_times_input,grad_cam,cam", networks=1)
    assert any(line.startswith("linearity: kept by 3 of 3") for line in found.findings)
    served = dict(zip(found["axioms"]["method"], found["axioms"]["served"], strict=True))
    assert served["gradient_times_input"] == 1
    assert served["cam"] < 1
