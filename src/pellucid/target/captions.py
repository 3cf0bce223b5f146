"""Words of a captioner: networks whose output is (N, positions, tokens), logits over a vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused, UnknownName
from pellucid.net import Net, Run, outputs
from pellucid.target.base import ClassName, Named, Target
from pellucid.target.classes import class_named
from pellucid.target.forms import target


@target(
    "word(TOKEN,POSITION)",
    examples=("word(17,3)",),
    help="captions: the log probability of token 17 at position 3 (from 0)",
)
@final
@dataclass(frozen=True)
class Word(Target):
    """The log probability of a token at a position of the caption, counted from 0; in nats.

    A token is a number, or its name where the network's labels are its vocabulary.
    """

    token: ClassName
    position: int
    unit = "nats"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Word | None:
        """`word(17,3)`."""
        match = re.fullmatch(r"(?P<token>.+),\s*(?P<position>\d+)", inside)
        return cls(of(match["token"]), int(match["position"])) if name and match else None

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return _log_probability(run, self.token, self.position)

    def __str__(self) -> str:
        return f"word({self.token},{self.position})"

    def named(self, net: Net) -> Target:
        """Under the token's proper name."""
        return replace(self, token=class_named(net, self.token)) if net.labels else self


@target(
    "sentence(TOKEN,TOKEN,...)",
    examples=("sentence(4,17,9)",),
    help="captions: the log probability of these tokens from the start",
)
@final
@dataclass(frozen=True)
class Sentence(Target):
    """The log probability of a caption: Σ over positions from 0 of that of each token; in nats.

    As Grad-CAM explains captions (Selvaraju et al. 2017, section 7.1). The network must give the logits of this
    very caption: each position having seen the tokens before it.
    """

    tokens: tuple[ClassName, ...]
    unit = "nats"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Sentence | None:
        """`sentence(4,17,9)`."""
        tokens = [token.strip() for token in inside.split(",")]
        return cls(tuple(map(of, tokens))) if name and all(tokens) else None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", tuple(self.tokens))
        if not self.tokens:
            raise UnknownName("sentence(): it needs at least one token, for example sentence(4,17,9)")

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        words = [_log_probability(run, token, position) for position, token in enumerate(self.tokens)]
        return torch.stack(words).sum(0)

    def __str__(self) -> str:
        return f"sentence({','.join(map(str, self.tokens))})"

    def named(self, net: Net) -> Target:
        """Under the tokens' proper names."""
        return Sentence(tuple(class_named(net, token) for token in self.tokens)) if net.labels else self


def _log_probability(run: Run, token: ClassName, position: int) -> Tensor:
    output = run.output
    if output.dim() != 3:
        shape = "×".join(map(str, output.shape[1:]))
        raise Refused(f"{run.net.name} gives {shape} numbers per image: a word needs positions × tokens")
    index = run.net.class_index(token)
    _, positions, tokens = output.shape
    if not 0 <= position < positions:
        raise UnknownName(f"no position {position}: the captions of {run.net.name} have {positions}")
    if not 0 <= index < tokens:
        raise UnknownName(f"no token {token!r}: the vocabulary of {run.net.name} has {tokens}, 0 to {tokens - 1}")
    return outputs.log_probabilities(output[:, position], run.net.meaning, two=False)[:, index]
