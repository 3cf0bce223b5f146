"""Training images beside a mistake: the nearest in two spaces, and those that push towards and away from the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from pellucid.index import Index
from pellucid.result import Cases
from pellucid.training_set.cases import Asked, gathered
from pellucid.training_set.mistaken import DOUBTED, Judged, Known

_UNIT = "change of the loss in nats if it is removed"


def witnesses(
    index: Index, known: Known, asked: Asked, judged: Judged, count: int
) -> tuple[tuple[Cases, ...], Float[np.ndarray, "m 4 k"]]:
    """(four rows of training images for each image, (M, 4, K) how probable it is that their labels are wrong)."""
    examples, m = known.examples, len(judged.given)
    count = min(count, judged.near.shape[2])
    order = np.argsort(judged.scores, 1, kind="stable")
    rows = np.stack([judged.near[:, 0, :count], judged.near[:, 1, :count], order[:, :count],
                     order[:, ::-1][:, :count]], 1)  # fmt: skip
    pushes = np.take_along_axis(judged.scores[:, None], rows[:, 2:], 2)
    values = np.concatenate([judged.cosines[:, :, :count], pushes], 1)
    doubts = np.take_along_axis(judged.doubts, rows.reshape(m, -1), 1).reshape(rows.shape)
    fields = gathered(index, examples, asked, values, examples.numbers[rows], None)
    given, rivals = (tuple(examples.classes[int(k)] for k in one) for one in (judged.given, judged.rivals))
    fields["given"] = given
    labels = examples.labels[rows]
    said = tuple(
        tuple(_told(labels[i, r], doubts[i, r], (int(judged.given[i]), int(judged.rivals[i])), examples.classes)
              for r in range(4)) for i in range(m)
    )  # fmt: skip
    shape = (m, 4)
    shares = np.stack([(labels == one[:, None, None]).mean(2) for one in (judged.rivals, judged.given)], 2)
    shares = np.concatenate([shares, (doubts >= DOUBTED).mean(2)[:, :, None]], 2)
    common: dict[str, Any] = {
        "units": ("cosine", "cosine", _UNIT, _UNIT),
        "measures": ("share with the answer", "share with its class", "share with a doubted label"),
    }
    whole = Cases(
        **fields, answers=rivals, without=(("",) * 4,) * m, said=said, measured=shares.reshape(*shape, 3), **common
    )
    names = [f"nearest in {known.spaces[0].name}", f"nearest by {known.spaces[1].name}"]
    each = (replace(whole[i], rows=(*names, f"push towards {rivals[i]}", f"push towards {given[i]}")) for i in range(m))
    return tuple(each), doubts


def _told(labels: Any, doubts: Any, pair: tuple[int, int], classes: tuple[str, ...]) -> str:
    """A row in words."""
    many = len(labels)
    parts = [f"{int((labels == k).sum())} of {many} are {classes[k]}" for k in pair[::-1] if (labels == k).any()]
    others = int((~np.isin(labels, pair)).sum())
    if others:
        parts.append(f"{others} of {'another class' if others == 1 else 'other classes'}")
    doubted = int((doubts >= DOUBTED).sum())
    if doubted:
        parts.append(f"{doubted} {'label is' if doubted == 1 else 'labels are'} doubted")
    return ", ".join(parts)
