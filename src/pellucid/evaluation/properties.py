"""What an explanation is asked for, measured together: each map is made once, and judged in many ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.evaluation import faithfulness, robustness
from pellucid.evaluation.axioms import AXIOMS, Kept
from pellucid.evaluation.axioms import kept as axioms_of
from pellucid.evaluation.explainers import Explainer, Explainers
from pellucid.evaluation.judged import Judged
from pellucid.evaluation.localized import localized
from pellucid.evaluation.measures import Measure, apart, together
from pellucid.evaluation.randomized import SAME
from pellucid.evaluation.rules import Energy, Pointing
from pellucid.evaluation.small import KINDS
from pellucid.evaluation.summary import few, interval, ranked
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.result import Study, Table
from pellucid.result.table import Cell
from pellucid.resume import kept as on_disk
from pellucid.resume import measured_at

HELP = {
    "method": "attribution method with its options, or a map that knows no network",
    "exactness": "1 − infidelity: share of the squared changes by removed squares that sums of the map foretell, 0..1",
    "consistency": "rank correlation with the map after changes that should not matter: mean of five, −1..1",
    "completeness": "1 − error of the sum that a method claims, if any; mean over five small networks",
    "universality": f"share of {len(KINDS)} kinds of small networks that it serves, 0..1",
    "deletion": "area under the curve while pixels are taken away: lower is better",
    "insertion": "area under the curve while pixels are put in: higher is better",
    "road": "margin between filling the first and the last pixels: higher is better",
    "random weights": "size of the rank correlation with maps of random weights, mean of three stages: lower is better",
    "± exactness": "half of the width of its 95 % interval (bootstrap over images)",
    "± consistency": "half of the width of its 95 % interval (bootstrap over images)",
    "baseline": "whether the map knows no network",
}
REWARD = {
    "pointing": "share of cases in which the largest value lies on the thing, or within 15 pixels: higher is better",
    "energy": "share of the positive part of the map that lies on the thing: higher is better",
}
"""What a map gives for nothing: where things are, of a network that was trained without boxes."""
PLANTED = {
    "finds bias": "chance that more of the attribution lies on a planted tag for the network that uses it than for its "
    "twin: 1 finds the bias, 0.5 does not",
    "repaired": "accuracy on images with the tag after training that holds the map down there",
}


@dataclass(frozen=True, eq=False)
class Properties:
    """The measures that were made together, and what came of them."""

    measures: tuple[Measure, ...]
    judged: Judged
    values: Mapping[str, Floats]
    """Measure -> (K, N) its first figure for each explainer and image."""


def measured(net: Net, images: ImageSet, of: Explainers, steps: int, seed: int) -> Properties:
    """Infidelity, stability, deletion, insertion, ROAD and randomization, of every map once."""
    side = min(net.preprocess.size or (224, 224))
    shift = min(4, max(side // 4, 1))  # pixels: of small images less
    score = "logit" if net.meaning.scores == "regression" else "probability"
    randomization, _ = robustness.randomization(net, steps=3, seed=seed)
    measures = (
        faithfulness.infidelity(4 * steps, seed=seed), robustness.stability(shift=shift, seed=seed),
        faithfulness.deletion(steps=steps, score=score, seed=seed),
        faithfulness.insertion(steps=steps, score=score, seed=seed),
        faithfulness.road(max(steps // 4, 1), score, seed), randomization,
    )  # fmt: skip
    judged = together(measures).judged(net, images, of, seed)
    found = apart(measures, judged.values)
    values = {one.protocol.name: one.rankings[0].of(part) for one, part in zip(measures, found, strict=True)}
    return Properties(measures, judged, values)


def axioms(net: Net, explainers: Sequence[Explainer], seed: int) -> dict[str, Kept]:
    """What each of these methods keeps on one small network, by its name; of kinds that it refuses it is not said why.
    Kept and shared out as maps are. `net` only says where the work is done.
    """

    def measure(one: Explainer) -> Floats:
        found = axioms_of(one, 1, seed)
        return np.array([*found.errors, *(kind in found.served for kind in KINDS), found.complete], np.float64)

    def identity() -> str:
        return json.dumps(["axioms", AXIOMS, [*KINDS], [one.identity for one in explainers], seed, machine(net)])

    measured = on_disk(identity, lambda at: measure(explainers[int(at[0])]))
    rows = measured_at(measured, [(float(k),) for k in range(len(explainers))], "axioms of methods")
    found = {}
    for one, row in zip(explainers, rows, strict=True):
        errors, serves = row[: len(AXIOMS)], row[len(AXIOMS) : -1]
        served = tuple(kind for kind, does in zip(KINDS, serves, strict=True) if does)
        found[one.name] = Kept(errors, served, complete=float(row[-1]))
    return found


def rewards(net: Net, images: ImageSet, of: Explainers, truth: Truth, pairs: ClassPairs | None, seed: int) -> Study:
    """The pointing game and the energy on the things of a truth."""
    return localized(net, images, of, truth, pairs, [Pointing(15.0), Energy()], seed)


def table(
    found: Properties, axioms: Mapping[str, Kept], reward: Study | None, planted: Table | None, seed: int
) -> Table:
    """A row for each explainer, in the order of exactness + consistency; over the images of which all have a map."""
    known = found.judged.known()
    each = [found.judged.names.index(name) for name in known.names]
    both = known.common
    means = {name: values[each][:, both].mean(1) for name, values in found.values.items()}
    spread = {name: _half(found.values[name][each][:, both], seed, name) for name in ("infidelity", "stability")}
    order = np.argsort(-(1 - means["infidelity"] + means["stability"]), kind="stable")
    rows: list[dict[str, Cell]] = []
    for k in order:
        name = known.names[k]
        kept = axioms.get(name)
        complete = float("nan") if kept is None else kept.complete
        rows.append({
            "method": name, "exactness": 1 - float(means["infidelity"][k]),
            "consistency": float(means["stability"][k]),
            "completeness": complete if np.isfinite(complete) else None,
            "universality": None if kept is None else len(kept.served) / len(KINDS),
            "deletion": float(means["deletion"][k]), "insertion": float(means["insertion"][k]),
            "road": float(means["road"][k]), "random weights": float(means["randomization"][k]),
            "± exactness": float(spread["infidelity"][k]), "± consistency": float(spread["stability"][k]),
            "baseline": known.explainers.each[k].is_baseline,
        })  # fmt: skip
    columns = {name: tuple(row[name] for row in rows) for name in HELP}
    hits: dict[Cell, Cell]
    if reward is not None:
        for name in REWARD:
            score = "hits" if name == "pointing" else name
            hits = {row["method"]: row[score] for row in reward.tables[name].rows}
            columns[name] = tuple(hits.get(row["method"]) for row in rows)
    if planted is not None:
        for name, score in zip(PLANTED, ("found", "repaired"), strict=True):
            if score in planted.columns:
                hits = dict(zip(planted["method"], planted[score], strict=True))
                columns[name] = tuple(hits.get(row["method"]) for row in rows)
    errors = {"exactness": "± exactness", "consistency": "± consistency"}
    said = {name: text for name, text in {**HELP, **REWARD, **PLANTED}.items() if name in columns}
    return Table(columns, said, plot_columns=("exactness", "consistency"), errors=errors)


def rankings(found: Properties, seed: int) -> dict[str, Table]:
    """One for each measure, with intervals and paired tests."""
    made = {}
    for measure in found.measures:
        one, name = measure.rankings[0], measure.protocol.name
        values = found.judged.reduced(found.values[name])
        made[name] = ranked(values, measure.protocol, one.score, one.means, one.better, seed, contest=one.contest)
    return made


def findings(best: Table, ranked: Mapping[str, Table], reward: Study | None) -> tuple[str, ...]:
    """Which methods to trust, and for what."""
    rows = [row for row in best.rows if not row["baseline"]]
    told = []
    if rows:
        told.append(f"{rows[0]['method']} is the most exact and consistent taken together "
                    f"({rows[0]['exactness']:.2f} and {rows[0]['consistency']:.2f})")  # fmt: skip
        ahead = [str(row["method"]) for row in best.rows[: best.rows.index(rows[0])]]
        if ahead:
            told.append(f"no less so, though they know no network: {few(ahead)}; both measures favor smooth maps")
        unmoved = [str(row["method"]) for row in rows if float(row["random weights"] or 0) > SAME]
        if unmoved:
            told.append(f"{few(unmoved)}: much the same map with random weights")
    for name in ("road", "deletion", "insertion"):
        told.append(f"{name}: {ranked[name].findings[0]}")
    return (*told, *(f"{name}: {reward.tables[name].findings[0]}" for name in REWARD if reward is not None))


def _half(values: Floats, seed: int, name: str) -> Floats:
    low, high = interval(values, seed, name)
    found: Floats = (high - low) / 2
    return found
