"""The study behind the pointing game, energy, boxes and pixels: measured over maps that are computed once."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.located import measured
from pellucid.evaluation.rules import Boxes, Energy, Pixels, Pointing
from pellucid.evaluation.summary import Protocol, said
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Curve, Meta, Study, Table

Rule = Pointing | Energy | Boxes | Pixels


def localized(
    net: Net, images: ImageSet, of: Explainers, truth: Truth, pairs: ClassPairs | None,
    rules: Sequence[Rule], seed: int,
) -> Study:  # fmt: skip
    """A table for each rule, and their curves."""
    protocols = [one.protocol for one in rules]
    all_of_it = Protocol("; ".join(one.id for one in protocols), (), "; ".join(one.source for one in protocols))
    found = measured(net, images, of.with_baselines(), truth, pairs, all_of_it, [rule.reading for rule in rules], seed)
    curves, tables, findings, chances = dict[str, Curve](), dict[str, Table](), list[str](), list[float]()
    for rule in rules:
        drawn, written = rule.answer(found)
        curves |= drawn
        tables |= {name: table for name, table in written.items() if name not in tables}
        findings += next(iter(written.values())).findings
        if isinstance(rule, (Pointing, Energy)):
            chances.append(rule.chance(found))
            findings.append(f"{rule.chance_of} of a map that is the same everywhere: {chances[-1]:.3g}")
    meta = Meta(found={
        **said(found.judged, all_of_it), "truth": str(truth), "cases": len(found.labels), "chance": tuple(chances),
    })  # fmt: skip
    order = sorted(tables, key="classes".__eq__)  # after all rankings
    return Study(tuple(findings), curves, tables={name: tables[name] for name in order}, meta=meta)
