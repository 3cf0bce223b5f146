"""A captioner that attends: at each word an LSTM looks at the cells of an image, weighs them, and says the next word.

After Xu et al. 2015. The cells come from convolutions that are trained with it, or from a layer of another network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import unknown
from pellucid.learning.objective import Objective

START, END = 0, 1
"""Tokens before the first word and after the last."""
_EMBEDDED, _HIDDEN = 32, 64


@dataclass(frozen=True)
class Vocabulary:
    """The words of some sentences, each with its number; the first two stand for the start and the end."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], min_count: int = 1) -> Vocabulary:
        """All words that occur so often, in alphabetical order."""
        counts = Counter(word for sentence in sentences for word in sentence)
        return cls(("<start>", "<end>", *sorted(word for word, count in counts.items() if count >= min_count)))

    def __len__(self) -> int:
        return len(self.words)

    def number(self, word: str) -> int:
        """Of a word. Raises UnknownName with the nearest."""
        if word not in self.words:
            raise unknown("word", word, self.words)
        return self.words.index(word)

    def tokens(self, sentences: Sequence[Sequence[str]]) -> Int[Tensor, "n t"]:
        """(N, T) the words of each sentence and its end, filled up with ends; words that are not known are left out."""
        known = {word: number for number, word in enumerate(self.words)}
        rows = [[known[word] for word in sentence if word in known] for sentence in sentences]
        longest = max(map(len, rows), default=0) + 1
        return torch.tensor([row + [END] * (longest - len(row)) for row in rows], dtype=torch.int64)

    def said(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """The words up to the end."""
        numbers = list(tokens)
        return tuple(self.words[one] for one in numbers[: numbers.index(END) if END in numbers else len(numbers)])


@dataclass(frozen=True, eq=False)
class State:
    """Where the decoder is."""

    cells: Float[Tensor, "n cells c"]
    keys: Float[Tensor, "n cells hidden"]
    """What of the cells the attention compares with the hidden state: the same at every word."""
    hidden: Float[Tensor, "n hidden"]
    memory: Float[Tensor, "n hidden"]


def convolutions(channels: int = 3) -> nn.Sequential:
    """Three convolutions with two poolings between: 32 × 32 pixels become 8 × 8 cells of 32 channels.

    The last looks at one cell alone, so that a cell sees 12 × 12 pixels, about an object of a scene: from cells that
    see more, words may be read off beside the object that they name.
    """
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 1), nn.ReLU(),
    )  # fmt: skip


class Captioner(nn.Module):
    """Images (N, C, H, W) -> logits (N, positions, tokens) of the caption that it says, or of the one in `saying`.

    At each position t, with the hidden state h of the LSTM before it and the annotations a_i of L cells, which are
    their channels with their row and column in −1..1:
    e_i = v · tanh(A a_i + B h), α = softmax(e), β = sigmoid(f · h), z = β Σ α_i a_i; the LSTM takes z and the word
    before, and log p ∝ O (E y + H h + Z z) (equations 4, 5 and 7 of the paper, β of section 4.2.1). The first state is
    made of the mean annotation.
    """

    def __init__(self, vocabulary: Vocabulary, longest: int, encoder: nn.Module, channels: int) -> None:
        super().__init__()
        self.vocabulary, self.longest = vocabulary, longest
        self.saying: tuple[int, ...] | None = None
        self.encoder = encoder
        self.words = nn.Embedding(len(vocabulary), _EMBEDDED)
        channels += 2  # where a cell lies: whoever is left of whom cannot be read off cells that do not know
        self.start_hidden, self.start_memory = nn.Linear(channels, _HIDDEN), nn.Linear(channels, _HIDDEN)
        self.by_cell, self.by_state = nn.Linear(channels, _HIDDEN), nn.Linear(_HIDDEN, _HIDDEN, bias=False)
        self.energy = nn.Linear(_HIDDEN, 1, bias=False)
        self.gate = nn.Linear(_HIDDEN, 1)
        self.lstm = nn.LSTMCell(_EMBEDDED + channels, _HIDDEN)
        self.from_state, self.from_cells = nn.Linear(_HIDDEN, _EMBEDDED), nn.Linear(channels, _EMBEDDED, bias=False)
        self.out = nn.Linear(_EMBEDDED, len(vocabulary))

    def begin(self, maps: Float[Tensor, "n c rows columns"]) -> State:
        """The state before the first word."""
        places = torch.stack(torch.meshgrid(*(_along(maps, axis) for axis in (2, 3)), indexing="ij"))
        cells = torch.cat([maps, places.expand(len(maps), -1, -1, -1)], 1).flatten(2).transpose(1, 2)
        mean = cells.mean(1)
        hidden, memory = torch.tanh(self.start_hidden(mean)), torch.tanh(self.start_memory(mean))
        return State(cells, self.by_cell(cells), hidden, memory)

    def step(
        self, state: State, before: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n tokens"], Float[Tensor, "n cells"], State]:
        """(logits of the next word, attention to each cell, the state after it), given the word before."""
        attention = self.energy(torch.tanh(state.keys + self.by_state(state.hidden)[:, None]))[..., 0].softmax(1)
        context = torch.sigmoid(self.gate(state.hidden)) * (attention[:, None] @ state.cells)[:, 0]
        word = self.words(before)
        hidden, memory = self.lstm(torch.cat([word, context], 1), (state.hidden, state.memory))
        logits = self.out(word + self.from_state(hidden) + self.from_cells(context))
        return logits, attention, replace(state, hidden=hidden, memory=memory)

    def spoken(
        self, maps: Float[Tensor, "n c rows columns"], tokens: Int[Tensor, "n t"] | None = None
    ) -> tuple[Float[Tensor, "n t tokens"], Float[Tensor, "n t cells"]]:
        """(logits, attention) at each position: each having seen the tokens before it, or those that it finds most
        probable itself.
        """
        state = self.begin(maps)
        before = torch.full((len(maps),), START, dtype=torch.int64, device=maps.device)
        every, where = [], []
        for t in range(self.longest if tokens is None else tokens.shape[1]):
            logits, attention, state = self.step(state, before)
            every.append(logits)
            where.append(attention)
            before = logits.detach().argmax(1) if tokens is None else tokens[:, t]
        return torch.stack(every, 1), torch.stack(where, 1)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Tensor:
        """The logits."""
        maps: Tensor = self.encoder(images)
        said = None if self.saying is None else torch.tensor([self.saying], device=maps.device).expand(len(maps), -1)
        return self.spoken(maps, said)[0]

    def objective(self, captions: Int[Tensor, "m t"], coverage: float) -> Objective:
        """The loss of the encoder's maps, whose label is a row of `captions`: −Σ_t log p(word t) and coverage · Σ_i
        (1 − Σ_t α_ti)² (equation 14 of the paper), over the number of words. A caption is right where every word is,
        given those before.
        """

        def loss(maps: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            return self.losses(maps, captions.to(labels.device)[labels], coverage)

        return loss

    def losses(
        self, maps: Float[Tensor, "n c rows columns"], tokens: Int[Tensor, "n t"], coverage: float
    ) -> tuple[Float[Tensor, " n"], Tensor]:
        """(N,) losses of captions in nats per word, and (N,) whether each word is the most probable."""
        logits, attention = self.spoken(maps, tokens)
        # the first end is a word to be learned, what fills up the row behind it is none
        counted = (tokens != END) | ((tokens == END).cumsum(1) == 1)
        each = F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none") * counted
        uneven = (1 - (attention * counted[..., None]).sum(1)).square().sum(1)
        right = ((logits.argmax(2) == tokens) | ~counted).all(1)
        return (each.sum(1) + coverage * uneven) / counted.sum(1), right


def _along(maps: Tensor, axis: int) -> Float[Tensor, " cells"]:
    """Rows or columns in −1..1."""
    return torch.linspace(-1, 1, maps.shape[axis], dtype=maps.dtype, device=maps.device)


class Taught(nn.Module):
    """A captioner as it is trained: it gives the maps of its encoder, of which its `objective` makes the loss."""

    def __init__(self, captioner: Captioner) -> None:
        super().__init__()
        self.captioner = captioner

    def forward(self, images: Tensor) -> Tensor:
        """The maps."""
        maps: Tensor = self.captioner.encoder(images)
        return maps


@dataclass(frozen=True)
class Said:
    """A caption: its tokens without the start, its end among them unless it is as long as may be."""

    tokens: tuple[int, ...]
    log_probability: float
    """Of the whole caption, in nats."""


def beam_search(module: Captioner, maps: Float[Tensor, "1 c rows columns"], width: int) -> Said:
    """The most probable of the captions that a beam of that width finds; 1 is the most probable word each time.

    Of equally probable ones the first in the order of tokens. An ended caption stays in the beam as it is, so that the
    search ends when no open one is left, or at the longest that the module says.
    """
    beam: list[tuple[Said, State | None]] = [(Said((), 0.0), module.begin(maps))]
    with torch.no_grad():
        for _ in range(module.longest):
            grown: list[tuple[Said, State | None]] = []
            for said, state in beam:
                if state is None:
                    grown.append((said, None))
                    continue
                before = torch.tensor([said.tokens[-1] if said.tokens else START], device=maps.device)
                logits, _, after = module.step(state, before)
                for token, value in enumerate(logits[0].double().log_softmax(0).tolist()):
                    if token != START:
                        one = Said((*said.tokens, token), said.log_probability + value)
                        grown.append((one, None if token == END else after))
            beam = sorted(grown, key=lambda one: (-one[0].log_probability, one[0].tokens))[:width]
            if all(state is None for _, state in beam):
                break
    return beam[0][0]
