"""Which operations met which backward rule, and how often."""

from __future__ import annotations

from collections.abc import Mapping

Met = tuple[str, str]
"""(operation, rule)"""
Coverage = Mapping[Met, int]
"""How often each operation met each rule."""

PLAIN = "plain"
"""The rule of an operation that no rule covers: its own gradient."""


def in_words(coverage: Coverage) -> dict[str, int]:
    """As people and JSON have it: {'relu: guided': 17}."""
    return {": ".join(met): times for met, times in coverage.items()}


def uncovered(coverage: Coverage) -> list[tuple[str, int]]:
    """The operations that no rule covers, and how often each occurred."""
    return [(operation, times) for (operation, rule), times in coverage.items() if rule == PLAIN]
