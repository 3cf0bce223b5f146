"""The findings of an audit, kind by kind: what was found, what counts, what to do, and the pictures that show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from pellucid.result import Finding, Grid, Looked, Table
from pellucid.result.audit import OWN
from pellucid.result.table import Cell
from pellucid.training_set.audited import Audited, Pictures
from pellucid.training_set.copies import ALIKE, CLOSE, Group
from pellucid.training_set.doubted import SURE, UNSURE
from pellucid.training_set.likeness import Likeness, likeness
from pellucid.training_set.outliers import beyond, distances, outlying, share_below, surprise
from pellucid.training_set.spoiled import BLURRED, BRIGHT, DARK, LONG, SMALL, UNIFORM, WORDS, spoiled
from pellucid.training_set.subgroups import APART, ENOUGH, FEWEST, SHARE, subgroups

FAR = 5.0
"""Robust standard deviations above the median from which an image counts as an outlier."""
_NEAR, _SHOWN, _MATRIX = 5, 6, 40
"""Neighbors, members of a group, and classes of the matrix that are shown."""
_PAIRS = 200  # rows of the table of pairs
_TAKEN, _LEAST = 0.1, 3
"""Share of the images of the smaller class, and images, that are taken for the other: then a pair counts."""


@dataclass(frozen=True, eq=False)
class Section:
    """All of one kind."""

    looked: Looked
    items: tuple[Finding, ...]
    table: Table | None = None


def skipped(kind: str, why: str) -> Section:
    """A kind that was not looked for."""
    return Section(Looked(kind, 0, why, False), ())


def mislabeled(of: Audited, pictures: Pictures, count: int) -> Section:
    """Labels that are doubted."""
    found, rows = of.doubted, of.labeled
    wrong = found.wrong
    rule = (f"another class has a probability of {SURE:g} or more, said without the image's own label, the given one "
            f"{UNSURE:g} or less, and most of its 20 nearest images have another label")  # fmt: skip
    order = np.lexsort((np.arange(len(rows)), -found.values, ~wrong))[:count]
    items = []
    for k in order.tolist():
        row, other = int(rows[k]), str(of.examples.classes[int(found.suggested[k])])
        given = of.label(row)
        said = f"{_percent(found.p[k, 0])} {given} and {_percent(found.p[k, 1])} {other}, said without its own label"
        if found.voted:
            said = f"of its 20 nearest {_percent(found.p[k, 0])} are {given} and {_percent(found.p[k, 1])} {other}"
        elif not np.isnan(found.disagree[k]):
            said += f"; {_percent(found.disagree[k])} of its 20 nearest have another label"
        near = [] if np.isnan(found.disagree[k]) else of.near[row][:_NEAR].tolist()
        items.append(Finding(
            "mislabeled", f"{given}, {'rather' if found.p[k, 1] > found.p[k, 0] else 'perhaps'} {other}?", said,
            "Believe it more where its neighbors agree; where two classes are shown at once, keep it or remove it.",
            float(found.values[k]), bool(wrong[k]), pictures.of([row]), (_says(of, row),), pictures.of(near),
            tuple(of.label(int(i)) or "no class" for i in near), f"nearest by {of.examples.layer}", given, other,
        ))  # fmt: skip
    return Section(Looked("mislabeled", int(wrong.sum()), rule), tuple(items))


def outliers(of: Audited, pictures: Pictures, count: int) -> Section:
    """Images far from all others."""
    far, rare = distances(of.examples.features, of.near), surprise(of.examples.features, of.examples.labels)
    values, how = outlying([far, rare]), np.maximum(beyond(far), beyond(rare))
    counts = how >= FAR
    quantiles = [share_below(one) for one in (far, rare)]
    least = min((float(quantiles[k][counts].min()) for k in range(2)), default=1.0) if counts.any() else 1.0
    rule = (f"the cosine distance to its {of.near.shape[1]}th nearest image, or its −log density under a Gaussian for "
            f"each class, lies {FAR:g} robust standard deviations above the median")  # fmt: skip
    if counts.any():
        rule += f": here the farthest {counts.mean():.1%}, all above the quantile {least:.3f} of either"
    items = []
    for row in np.lexsort((np.arange(len(values)), -values, ~counts))[:count].tolist():
        near = of.near[row][:_NEAR].tolist()
        own = of.label(row)
        items.append(Finding(
            "outliers", "Far from all others",
            f"its {of.near.shape[1]}th nearest image is at a cosine distance of {far[row]:.2f}, farther than of "
            f"{_percent(quantiles[0][row])} of the images; its density is lower than of {_percent(quantiles[1][row])}",
            f"Does it belong to the set? Remove it if it shows no {own or 'object of it'}; keep it if it is only rare.",
            float(values[row]), bool(counts[row]), pictures.of([row]), (_says(of, row),), pictures.of(near),
            tuple(of.label(int(i)) or "no class" for i in near), f"nearest by {of.examples.layer}", own,
        ))  # fmt: skip
    return Section(Looked("outliers", int(counts.sum()), rule), tuple(items))


def copied(of: Audited, pictures: Pictures, count: int) -> tuple[Section, Section]:
    """(leaks, duplicates): copies across the parts of the data, and within one of them."""
    across, within = list[Group](), list[Group]()
    for one in of.groups:
        (across if len({of.part(row) for row in one.members}) > 1 else within).append(one)
    how = (f"the same file, or pictures that differ by less than {CLOSE:g} of their range (root mean square) and have "
           f"a correlation of {ALIKE:g} after the best alignment: mirrored, or cropped by up to a fifth")  # fmt: skip
    parts = {of.part(row) for row in range(len(of))} | ({of.part(len(of))} if of.test is not None else set())
    if len(parts) < 2:
        leaks = skipped("leaks", "there is one part: name a test set, or folders train, val, test in the files' names")
    else:
        items = [_copies(of, pictures, "leaks", one) for one in sorted(across, key=lambda one: _order(of, one))[:count]]
        extra = sum(sum(of.part(row) != of.part(one.members[0]) for row in one.members) for one in across)
        rule = f"groups of copies that lie in several of {', '.join(sorted(parts))}; {how}"
        leaks = Section(Looked("leaks", len(across), rule), tuple(items), _counted(extra))
    items = [
        _copies(of, pictures, "duplicates", one) for one in sorted(within, key=lambda one: _order(of, one))[:count]
    ]
    return leaks, Section(Looked("duplicates", len(within), f"groups of copies within one part; {how}"), tuple(items))


def _counted(images: int) -> Table:
    return Table({"images in another part than the first of their group": (images,)})


def _order(of: Audited, one: Group) -> tuple[bool, int, float, tuple[int, ...]]:
    """Those with different labels first, then the largest, then the most alike."""
    return len(_labels(of, one)) < 2, -len(one.members), one.rms, one.members


def _labels(of: Audited, one: Group) -> list[str]:
    return list(dict.fromkeys(filter(None, map(of.label, one.members))))


def _copies(of: Audited, pictures: Pictures, kind: str, one: Group) -> Finding:
    labels, parts = _labels(of, one), Counter(map(of.part, one.members))
    shown = _spread(of, one)[:_SHOWN]
    many = len(one.members)
    differ = len(labels) > 1
    where = ", ".join(f"{n} in {part}" for part, n in parts.items())
    if kind == "leaks":
        title = f"{many} copies: {where}"
        advice = (
            "Remove them from all parts but one: what is measured on a test set whose images were learned is too good."
        )
    else:
        title = f"{many} copies, with different labels" if differ else f"{many} copies"
        advice = "Keep one and remove the others."
    if differ:
        advice = f"Their labels differ ({' and '.join(labels[:4])}): decide which is right. {advice}"
    more = f"; {many - len(shown)} more are not shown" if many > len(shown) else ""
    off = "" if one.rms == 0 else f": the pixels differ by {one.rms:.3f} at the most"
    return Finding(
        kind, title, f"{', '.join(one.how)}{off}{more}", advice, float(many + (100 if differ else 0) - one.rms), True,
        pictures.of(shown), tuple(_place(of, row) for row in shown), label=labels[0] if len(labels) == 1 else "",
    )  # fmt: skip


def _spread(of: Audited, one: Group) -> list[int]:
    """Members so ordered that every part and every label is among the first."""
    seen, first, later = set[tuple[str, str]](), list[int](), list[int]()
    for row in one.members:
        key = of.part(row), of.label(row)
        (later if key in seen else first).append(row)
        seen.add(key)
    return first + later


def _place(of: Audited, row: int) -> str:
    return of.part(row) if of.part(row) != OWN else ""


def quality(of: Audited, pictures: Pictures, count: int) -> Section:
    """Pictures that show little."""
    found = spoiled(list(of.seen.looks), list(of.seen.sizes))
    known = sum(one is not None for one in of.seen.sizes)
    rule = (f"19 of 20 pixels darker than {DARK:g} or brighter than {BRIGHT:g} of the range; brightness that varies by "
            f"less than {UNIFORM:g}; fine detail {BLURRED:g} robust standard deviations below the median (blurred), in "
            f"what the network sees at {of.seen.read_at} pixels")  # fmt: skip
    rule += (f"; a file {LONG:g} times as long as wide, or whose shorter side is a {SMALL:g}th of the median"
             if known else "; sizes of files were not looked at")  # fmt: skip
    means = {
        "dark": "95 % of its pixels are darker than {0:.2f} of the range",
        "bright": "95 % of its pixels are brighter than {0:.2f} of the range",
        "uniform": "its brightness varies by {0:.3f} only",
        "blurred": "its share of fine detail is {0:.2g}, the limit here {1:.2g}",
        "odd shape": "it is {0:.1f} times as long as wide",
        "small": "its shorter side has {0:.0f} pixels, a {1:.0f}th of which is usual here is the limit",
    }
    items = []
    for one in found[:count]:
        said = means[one.word].format(one.value, one.threshold) if one.word != "small" else (
            f"its shorter side has {one.value:.0f} pixels, fewer than {one.threshold:.0f}, a fourth of the median"
        )  # fmt: skip
        items.append(Finding(
            "quality", one.word[:1].upper() + one.word[1:], said,
            "Remove it if the object cannot be told, or take the picture again.", one.excess, True,
            pictures.of([one.row]), (_says(of, one.row),), label=of.label(one.row),
        ))  # fmt: skip
    counted = Counter(one.word for one in found)
    table = Table({"what": WORDS, "images": tuple(counted.get(word, 0) for word in WORDS)})
    return Section(Looked("quality", len({one.row for one in found}), rule), tuple(items), table)


def similar(of: Audited, pictures: Pictures, count: int) -> tuple[Section, Grid | None, NDArray[np.float64] | None]:
    """Classes that are taken for one another, the matrix of those that are so most, and the tree of its rows."""
    rows = of.labeled
    if not of.classes_known:
        return skipped("similar", "the images have no labels of two classes"), None, None
    fitted = of.examples.fitted
    held_out = of.doubted.log_p if fitted else None
    logits = of.examples.logits[rows] if held_out is None else held_out
    alike = likeness(logits, of.examples.features[rows], of.examples.labels[rows])
    counts = _taken(alike)
    found, columns = int(counts.sum()), dict[str, list[Cell]]()
    for a, b in alike.pairs[:_PAIRS].tolist():
        taken = int(alike.confusions[a, b])
        cells: dict[str, Cell] = {
            "class": _class(of, alike, a), "other": _class(of, alike, b), "taken for one another": taken,
            "images": int(alike.sizes[a] + alike.sizes[b]), "soft labels": _number(alike.soft[a, b]),
            "class means": float(alike.means[a, b]),
        }  # fmt: skip
        for name, value in cells.items():
            columns.setdefault(name, []).append(value)
    told = counts | (alike.confusions[tuple(alike.pairs.T)] > 0)
    told[: count // 2] = True  # the most alike, though none was taken for the other
    first = [k for k in np.argsort(~counts, kind="stable").tolist() if told[k]][:count]  # what counts before the rest
    items = [_pair(of, pictures, alike, alike.pairs[k], rows, logits, bool(counts[k]), k) for k in first]
    rule = (f"at least {_LEAST} images, and as many as a tenth of the smaller class, are taken for the other; sorted "
            "by soft labels: mean probability at temperature 4 that right images of one give to the other")  # fmt: skip
    marked = tuple(np.flatnonzero(counts[:_PAIRS])[:5].tolist())
    table = Table({name: tuple(values) for name, values in columns.items()}, highlighted=marked)
    grid, merges = _matrix(of, alike)
    return Section(Looked("similar", found, rule), tuple(items), table), grid, merges


def _taken(alike: Likeness) -> NDArray[np.bool_]:
    """(P,) which pairs of classes are taken for one another often enough to count."""
    a, b = alike.pairs.T
    enough = np.maximum(_LEAST, _TAKEN * np.minimum(alike.sizes[a], alike.sizes[b]))
    found: NDArray[np.bool_] = alike.confusions[a, b] >= enough
    return found


def _class(of: Audited, alike: Likeness, k: int) -> str:
    return str(of.examples.classes[int(alike.classes[k])])


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _pair(
    of: Audited, pictures: Pictures, alike: Likeness, pair: Int[np.ndarray, " 2"], rows: NDArray[np.int64],
    logits: NDArray[np.float64], counts: bool, rank: int,
) -> Finding:  # fmt: skip
    a, b = pair.tolist()
    names = [_class(of, alike, k) for k in (a, b)]
    labels, answers = of.examples.labels[rows], logits.argmax(1)
    taken, total, soft = int(alike.confusions[a, b]), int(alike.sizes[a] + alike.sizes[b]), alike.soft[a, b]
    both = alike.classes[[a, b]]
    wrong = np.flatnonzero((labels == both[0]) & (answers == both[1]) | (labels == both[1]) & (answers == both[0]))
    other = np.where(labels[wrong] == both[0], both[1], both[0])
    sure = wrong[np.argsort(-(logits[wrong, other] - logits[wrong, labels[wrong]]), kind="stable")][:_SHOWN]
    shown = [int(rows[i]) for i in sure]
    typical = [int(rows[i]) for k in both for i in _typical(of, rows, labels == k)[:3]]
    known = "" if np.isnan(soft) else f"; right images give {soft:.3f} to the other (temperature 4)"
    return Finding(
        "similar", " and ".join(names), f"{taken} of {total} images are taken for the other{known}; the cosine of "
        f"their class means is {alike.means[a, b]:.2f}; pair {rank + 1} of {len(alike.pairs)} by soft labels",
        "Write down what tells them apart and check both classes by it; add images near the border, or merge them if "
        "nobody can tell.", float(np.nan_to_num(soft)), counts, pictures.of(shown),
        tuple(f"taken for {names[1] if of.label(i) == names[0] else names[0]}" for i in shown), pictures.of(typical),
        tuple(of.label(i) for i in typical), "typical images of both", names[0],
    )  # fmt: skip


def _typical(of: Audited, rows: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places of the images nearest to the mean of some."""
    own = np.flatnonzero(inside)[:2000]
    features = of.examples.features[rows[own]].astype(np.float64)
    far = ((features - features.mean(0)) ** 2).sum(1)
    return own[np.argsort(far, kind="stable")]


def _matrix(of: Audited, alike: Likeness) -> tuple[Grid | None, NDArray[np.float64] | None]:
    """(soft labels of the classes that are most alike, ordered by their tree; the tree)."""
    which = np.array([], np.int64)
    for pair in alike.pairs.tolist():
        which = np.union1d(which, pair)
        if len(which) >= min(_MATRIX, len(alike.classes)):
            break
    if len(which) < 3:
        return None, None
    tree, order = alike.merges(which)
    own = which[order]
    values = alike.soft[np.ix_(own, own)].copy()
    np.fill_diagonal(values, np.nan)
    names = tuple(_class(of, alike, int(k)) for k in own)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    leaves = tree.copy()
    inside = leaves[:, :2] < len(order)
    leaves[:, :2][inside] = place[leaves[:, :2][inside].astype(int)]
    return Grid(values, names, names, "mean probability at temperature 4", "class", "other class"), leaves


def rare(of: Audited, pictures: Pictures, count: int) -> Section:
    """Rare subgroups of classes."""
    if not of.classes_known:
        return skipped("subgroups", "the images have no labels of two classes")
    sizes = np.bincount(of.examples.labels[of.labeled])
    if (sizes < ENOUGH).all():
        return skipped("subgroups", f"no class has {ENOUGH} images, of which a rare subgroup could be told")
    found = subgroups(of.examples.features, of.examples.labels, of.right, of.seed)
    items, counted = list[Finding](), 0
    for one in found:
        others = one.rest_right / max(one.rest, 1)
        counts = one.interval[1] < others
        counted += counts
        if len(items) >= count and not counts:
            continue
        name = str(of.examples.classes[one.of_class])
        own = np.flatnonzero(of.examples.labels == one.of_class)
        rest = own[~np.isin(own, one.members)]
        typical = rest[_typical(of, rest, np.ones(len(rest), bool))][:_NEAR].tolist()
        shown = list(one.members[:_SHOWN])
        items.append(Finding(
            "subgroups", f"{name}: {len(one.members)} images apart",
            f"{len(one.members)} images, {_percent(one.share)} of {name}, lie together and apart from the rest "
            f"(by {one.apart:.2f}); the network is right for {one.right} of them "
            f"[{_percent(one.interval[0])} to {_percent(one.interval[1])}], and for "
            f"{_percent(others)} of the rest{_copied_among(of, one.members)}",
            "What do they have in common? Collect more such images, give them a class of their own, or remove them if "
            "they do not belong.", one.gap, bool(counts), pictures.of(shown), tuple(_says(of, i) for i in shown),
            pictures.of(typical), tuple(of.label(i) for i in typical), "typical images of the rest", name,
        ))  # fmt: skip
    items.sort(key=lambda one: (not one.found, -one.score))
    rule = (f"{FEWEST} images to {SHARE:.0%} of a class of {ENOUGH} or more that lie together, apart from the nearest "
            f"others by {APART:g} or more, and for which the network is right less often: the 95 % interval lies below "
            "the rest")  # fmt: skip
    return Section(Looked("subgroups", counted, rule), tuple(items[:count]))


def _copied_among(of: Audited, members: tuple[int, ...]) -> str:
    """How many of a subgroup are copies of another one in it: these say nothing new."""
    extra = sum(max(len(set(group.members) & set(members)) - 1, 0) for group in of.groups)
    return f"; {extra} of them {'is a copy' if extra == 1 else 'are copies'} of another" if extra else ""


def _says(of: Audited, row: int) -> str:
    """What the network says of an image of the set; nothing where what was fitted stands in for it."""
    return "" if of.examples.fitted else f"network: {of.answer(row)}"


def _percent(share: float) -> str:
    """As a person writes it: digits only where they matter."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    near = min(share, 1 - share)
    return f"{100 * share:.0f} %" if near < 1e-6 or near >= 0.02 else f"{100 * share:.1f} %"
