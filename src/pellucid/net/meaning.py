"""What the numbers of a network's classes mean.

That is told (`load(scores=)`), or known because the network ends in softmax or sigmoid, or taken from the values where
these leave no doubt; otherwise they count as logits of classes that exclude one another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.net.returned import rows
from pellucid.result.scores import UNIT, Scores

_ENDS: dict[str, Scores] = {
    **dict.fromkeys(("softmax", "softmin", "sigmoid", "sigmoid_", "special_expit", "hardsigmoid"), "probabilities"),
    **dict.fromkeys(("log_softmax", "logsigmoid", "log_sigmoid"), "log_probabilities"),
}
"""Operations that say what their results are."""
_TURNED: dict[tuple[str, str], Scores] = {
    ("log", "probabilities"): "log_probabilities",
    ("exp", "log_probabilities"): "probabilities",
}
_SAME = frozenset(
    (
        "float",
        "double",
        "half",
        "bfloat16",
        "to",
        "type",
        "type_as",
        "clone",
        "contiguous",
        "detach",
        "squeeze",
        "unsqueeze",
        "flatten",
        "view",
        "reshape",
        "permute",
        "transpose",
        "__getitem__",
        "clamp",
        "clip",
        "nan_to_num",
        "dropout",
        "cat",
        "concat",
        "stack",
    )
)
"""What may be done to probabilities, and to their logarithms, without making them something else."""
_POOLED = frozenset(("mean", "amax", "adaptive_avg_pool2d", "adaptive_max_pool2d"))
"""What makes probabilities of probabilities, and of logarithms nothing that has a name."""
_LARGE = 2**18  # numbers: attention maps are softmaxes too, and must not be held by the dozen
EXACT = {torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""How far a sum of probabilities may be from 1, by type; 1e-5 for the others."""


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a network's classes are, and how that is known."""

    scores: Scores
    told: bool = False
    """By whoever loaded it, or by the source that it comes from."""
    note: str = ""
    """What has to be said with every result: what it was taken from."""

    @property
    def assumed(self) -> bool:
        """Nobody said so, and nothing in the network does."""
        return not self.told and not self.note

    @property
    def unit(self) -> str:
        """What one unit of a score is."""
        return UNIT[self.scores]

    @classmethod
    def of(cls, told: Scores | None, ending: tuple[str, Scores] | None, looks: Scores | None) -> Meaning:
        """From what was told, the operation that the network ends in and what that gives, and the values."""
        by = f"the network ends in {ending[0]}" if ending else ""
        if told == "multilabel" and ending and ending[1] != "logits":  # each label's sigmoid is already there
            words = "probabilities" if ending[1] == "probabilities" else "log probabilities"
            return cls(ending[1], True, f"{by}: its outputs are the {words} of the labels already")
        if told in ("logits", "multilabel", "regression") and ending and told != "regression":
            return cls(told, True, f"{by}, and scores={told!r} says that a softmax is still to come")
        if told:
            return cls(told, True)
        if ending:
            what = "probabilities" if ending[1] == "probabilities" else "log probabilities"
            return cls(ending[1], False, f"{by}: its outputs are taken for {what}; scores= says what else they are")
        if looks:
            sign = "each row is in 0 to 1 and sums to 1" if looks == "probabilities" else "exp of each row sums to 1"
            what = looks.replace("_", " ")
            return cls(looks, False, f"the outputs look like {what} ({sign}) and are taken for such; scores= says else")
        return cls("logits")


LABELS = Meaning("multilabel", told=True)
"""Labels that each stand by themselves."""


class Ending:
    """Watches the functions of one forward pass, to know which operation the output came out of."""

    def __init__(self) -> None:
        self._small: deque[tuple[Tensor, str, Scores]] = deque(maxlen=16)
        self._large: deque[tuple[Tensor, str, Scores]] = deque(maxlen=1)

    def __call__(self, function: Any, args: Any, output: Any) -> None:
        """A function was called."""
        name = getattr(function, "__name__", "")
        if not isinstance(output, Tensor):
            return
        before = self._known(args[0]) if args else None
        kind: Scores | None = _ENDS.get(name)
        if before is not None and (name in _SAME or (name in _POOLED and before[1] == "probabilities")):
            name, kind = before
        elif before is not None and kind is None:
            name, kind = f"{before[0]} and {name}", _TURNED.get((name, before[1]))
        self._forget(output)  # an operation in place hands on the tensor that it has changed
        if kind is not None:
            (self._small if output.numel() <= _LARGE else self._large).append((output, name.strip("_"), kind))

    def of(self, output: Tensor) -> tuple[str, Scores] | None:
        """(operation, what its results are) of a tensor that the pass has returned; None where nothing says so."""
        return self._known(output)

    def _known(self, value: Any) -> tuple[str, Scores] | None:
        if isinstance(value, (tuple, list)):  # cat and stack of several heads
            heads = {self._known(one) for one in value if isinstance(one, Tensor)}
            return heads.pop() if len(heads) == 1 else None
        found = (one for held in (self._small, self._large) for one in held if one[0] is value)
        return next(((name, kind) for _, name, kind in found), None)

    def _forget(self, value: Tensor) -> None:
        for held in (self._small, self._large):
            if any(one[0] is value for one in held):  # by identity: tensors compare number by number
                kept = [one for one in held if one[0] is not value]
                held.clear()
                held.extend(kept)


def look(output: Tensor) -> Scores | None:
    """What rows of numbers must be, going by their values; None where these leave a doubt.

    Only rows with something between the extremes count: hand-made scores such as (1, 0, 0) sum to 1 too.
    """
    found = rows(output.detach())
    if found is None or found.shape[1] < 2:
        return None
    wide, slack = found.double(), EXACT.get(found.dtype, 1e-5)
    for values, kind in ((wide, "probabilities"), (wide.exp(), "log_probabilities")):
        inside = (values >= 0).all() and (values <= 1 + slack).all()
        if inside and ((values.sum(1) - 1).abs() <= slack).all() and ((values > 0.01) & (values < 0.99)).any(1).all():
            return "probabilities" if kind == "probabilities" else "log_probabilities"
    return None


def learn(known: dict[Any, Any], run: Any, ending: Ending | None) -> None:
    """Note in `known` what a pass shows: how many outputs there are, what they come out of, what their values say."""
    try:
        output = run.output
    except PellucidError:  # no tensor to explain, or no row for each image: whoever asks for it hears of it
        known.setdefault("ending", None)
        known.setdefault("looks", None)
        return
    found = rows(output)
    known.setdefault("outputs", int(output[0].numel()))
    if ending is not None:
        classes = output.dim() < 4 or found is not None or run.net.labels is not None  # else it may be an image
        known.setdefault("ending", ending.of(output) if classes else None)
    if known["ending"] is not None or found is None or run.net.scores is not None:
        known["looks"] = None
    elif (looks := look(found)) is not None or not undecided(found):
        known["looks"] = looks


def undecided(found: Tensor) -> bool:
    """Whether rows may be probabilities that are all 0 and 1: the next image may tell."""
    values = found.detach()
    return found.shape[1] > 1 and bool(((values >= 0) & (values <= 1)).all()) and bool((values.sum(1) - 1 == 0).all())
