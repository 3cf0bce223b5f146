"""How probable each class is: the one place that turns a network's scores into probabilities, whatever they mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError, Refused
from pellucid.net.meaning import EXACT, Meaning
from pellucid.result.scores import Scores

_DECIDED = 3.0  # a logit this far from 0 says yes or no by itself: a probability of 0.95
_TORN = 2 / 3  # a softmax whose best class has no more than this is undecided


def spread(scores: Tensor, meaning: Meaning, two: bool) -> Tensor:
    """(N, classes, …) as the network gives them; `two`: one number says which of two labels it is, one for each.

    Refused for a regression, which has no classes.
    """
    if meaning.scores == "regression":
        raise Refused(_no_classes(scores))
    if not two:
        return scores
    if meaning.scores == "probabilities":
        return torch.cat([1 - scores, scores], 1)
    if meaning.scores == "log_probabilities":
        return torch.cat([_log_rest(scores), scores], 1)
    return torch.cat([-scores, scores], 1)


def log_probabilities(scores: Tensor, meaning: Meaning, two: bool) -> Tensor:
    """(N, classes): the logarithms of the probabilities; of one number without two labels, that of its yes."""
    found, kind = spread(scores, meaning, two), meaning.scores
    _in_range(scores, kind)
    if kind == "log_probabilities":
        return found
    if kind == "probabilities":
        return found.clamp(min=torch.finfo(found.dtype).tiny).log()
    if kind == "multilabel" or scores.shape[1] == 1:
        return -F.softplus(-found)
    return found - found.logsumexp(dim=1, keepdim=True)


def probabilities(scores: Tensor, meaning: Meaning, two: bool) -> Tensor:
    """(N, classes); of one number without two labels, that of its yes."""
    found, kind = spread(scores, meaning, two), meaning.scores
    _in_range(scores, kind)
    if kind == "probabilities":
        return found
    if kind == "multilabel" or (kind == "logits" and scores.shape[1] == 1):
        return found.sigmoid()
    return found.exp() if kind == "log_probabilities" else (found - found.logsumexp(dim=1, keepdim=True)).exp()


def cross_entropy(scores: Tensor, labels: Tensor, meaning: Meaning, two: bool = False) -> tuple[Tensor, Tensor]:
    """(N,) losses in nats and (N,) whether the class of the largest score is the label's, of scores (N, outputs)."""
    wide = scores if scores.dtype == torch.float64 else scores.float()
    own = spread(wide, meaning, two)
    if int(labels.max()) >= own.shape[1]:
        raise PellucidError(f"label {int(labels.max())} of {own.shape[1]} outputs: the network has too few classes")
    right = own.argmax(1) == labels
    if meaning.scores == "logits" and wide.shape[1] > 1:
        return F.cross_entropy(own, labels, reduction="none"), right
    if meaning.scores == "multilabel":
        wanted = F.one_hot(labels, own.shape[1]).to(own.dtype)
        return F.binary_cross_entropy_with_logits(own, wanted, reduction="none").sum(1), right
    return F.nll_loss(log_probabilities(wide, meaning, two), labels, reduction="none"), right


def log_odds(scores: Tensor, meaning: Meaning, two: bool, index: int) -> Tensor:
    """(N,): log p / (1 − p) of a class, which never saturates where the network gives logits."""
    found, kind = spread(scores, meaning, two), meaning.scores
    if kind == "multilabel" or (kind == "logits" and scores.shape[1] == 1):
        return found[:, index]
    if kind == "logits":
        others = torch.ones(found.shape[1], dtype=torch.bool, device=found.device)
        others[index] = False
        return found[:, index] - found[:, others].logsumexp(1)
    own = log_probabilities(scores, meaning, two)[:, index]
    return own - _log_rest(own)


def torn(scores: Tensor) -> Tensor:
    """(N,) rows that say several things at once: every number by itself a clear yes or no, two or more of them yes,
    and as one class out of several undecided. Whoever trained the network on labels that exclude one another hardly
    ever meets such a row; where each label stands by itself it is an ordinary one.
    """
    found = scores.detach()
    if found.shape[1] < 2:
        return torch.zeros(len(found), dtype=torch.bool, device=found.device)
    several = (found >= _DECIDED).sum(1) >= 2
    return several & (found.abs() >= _DECIDED).all(1) & (found.softmax(1).amax(1) <= _TORN)


def two_readings(row: Tensor, called: Callable[[int], str]) -> str:
    """What to say of probabilities that depend on what nobody has said."""
    return (
        f"nothing says what the outputs mean: {both_readings(row, called)}; taken one by one here, since several are "
        "clearly there at once; scores='multilabel' if that is right, scores='logits' if they exclude one another"
    )


def both_readings(row: Tensor, called: Callable[[int], str]) -> str:
    """What a row says of its two best classes if labels stand by themselves, and if they exclude one another."""
    row = row.detach()
    best = row.topk(2).indices.tolist()
    names = " and ".join(called(i) for i in best)
    alone, among = (" and ".join(f"{float(p[i]):.2f}" for i in best) for p in (row.sigmoid(), row.softmax(0)))
    return f"{names} are {alone} probable if each label stands by itself, {among} as one class out of several"


def column(scores: Tensor, index: int, meaning: Meaning, two: bool) -> Tensor | None:
    """(N, …): the network's own number for a class; None where it has no such class."""
    if two and index in (0, 1) and meaning.scores != "regression":
        return spread(scores, meaning, two)[:, index]
    return scores[:, index] if 0 <= index < scores.shape[1] else None


def seen(maps: Tensor, own: Tensor, index: int, meaning: Meaning) -> Tensor:
    """(N, …): where a class is seen, of maps (N, classes, …) and its own map: the first of all, or, where each label
    stands by itself, more likely there than not.
    """
    kind = meaning.scores
    if kind == "regression":
        raise Refused("a regression sees no classes: give Region a mask")
    each = maps.shape[1] == 1 or kind == "multilabel"
    each = each or (kind == "probabilities" and not bool(((maps.sum(1) - 1).abs() < 1e-2).all()))
    if not each:
        return maps.argmax(1) == index
    return own > {"probabilities": 0.5, "log_probabilities": -math.log(2)}.get(kind, 0.0)


def sound(scores: Tensor) -> bool:
    """Whether scores are numbers; −inf is one where not all are: a class that the network masks."""
    found = scores.detach()
    return not bool(found.isnan().any() | found.isposinf().any() | found.isneginf().all(-1).any())


def _log_rest(log_p: Tensor) -> Tensor:
    """log (1 − p)."""
    return torch.log(-torch.expm1(log_p.clamp(max=-torch.finfo(log_p.dtype).tiny)))


def _in_range(scores: Tensor, kind: Scores) -> None:
    """Refuse what cannot be what it is said to be."""
    values = scores.detach()
    slack = EXACT.get(values.dtype, 1e-5)
    low, high = {"probabilities": (-slack, 1 + slack), "log_probabilities": (float("-inf"), slack)}.get(
        kind, (float("-inf"), float("inf"))
    )
    if kind in ("probabilities", "log_probabilities") and not ((values >= low) & (values <= high)).all():
        what = "in 0 to 1" if kind == "probabilities" else "at most 0"
        raise PellucidError(
            f"scores={kind!r}: such numbers are {what}, and this network gives {float(values.min()):.3g} to "
            f"{float(values.max()):.3g}; scores='logits' or 'multilabel' for what comes before softmax or sigmoid"
        )


def _no_classes(scores: Tensor) -> str:
    return (
        "a regression has no classes and no probabilities: where there is a target, as in attribution, ask for one of "
        f"its outputs, out[0]{f' to out[{scores.shape[1] - 1}]' if scores.shape[1] > 1 else ''}"
    )
