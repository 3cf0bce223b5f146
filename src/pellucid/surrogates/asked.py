"""The questions of a tree in words."""

from __future__ import annotations

from pellucid.surrogates.splits import Cut, Question


def unit_name(layer: str, feature: int) -> str:
    """A unit as it is written: layer:channel."""
    return f"{layer}:{feature}"


def test_of(one: Cut, layer: str) -> str:
    """A single test: "act2:7 > 0.31"."""
    return f"{unit_name(layer, one.feature)} {'>' if one.above else '≤'} {rounded(one.threshold)}"


def written(question: Question, layer: str) -> str:
    """A question: one test, or how many of several must hold."""
    tests = [test_of(one, layer) for one in question.parts]
    if len(tests) == 1:
        return tests[0]
    least = "all" if question.least == len(tests) else "any" if question.least == 1 else f"{question.least}"
    return f"{least} of {len(tests)}: {', '.join(tests)}"


def rounded(value: float) -> str:
    """Three digits, for a person to read."""
    return f"{value:.3g}"
