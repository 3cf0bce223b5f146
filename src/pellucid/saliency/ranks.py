"""Where a class stands among all classes."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.errors import BadNetwork, Refused
from pellucid.net import Net, Run
from pellucid.net.outputs import sound
from pellucid.target import Target, Top, fixed, scored


def by_class(run: Run) -> Float[Tensor, "n classes"]:
    """The scores of all classes, those of a one-logit network as its two signs; −inf of those that it masks."""
    scores = run.by_class.detach().double()
    if not sound(scores):
        raise BadNetwork(f"{run.net.name} gives scores that are not finite")
    return torch.cat([-scores, scores], 1) if scores.shape[1] == 1 else scores


def class_of(target: Target, plain: Run) -> int:
    """Which class a target asks about; Refused where it asks about something else."""
    asked = fixed(target, plain)
    if isinstance(asked, Top):
        return int(by_class(plain)[0].argmax())
    if asked.class_asked is None:
        raise Refused(f"only classes have a rank, {target} is none: ask for a class by name, number or WordNet id")
    scored(asked, plain)  # an unknown class is refused there
    index = plain.net.class_index(asked.class_asked)
    if plain.scores.shape[1] == 1 and not plain.net.binary:
        raise Refused(f"{plain.net.name} has one output: there is nothing to rank")
    return index


def ahead(run: Run, index: int) -> Int[Tensor, " n"]:
    """How many classes are strictly better than this one: 0 for the first."""
    scores = by_class(run)
    return (scores > scores[:, index : index + 1]).sum(1)


def names_of(net: Net, labels: Int[np.ndarray, "n rows columns"]) -> dict[int, str]:
    """The names of the classes that occur."""
    return {index: net.class_name(index) for index in np.unique(labels).tolist()}
