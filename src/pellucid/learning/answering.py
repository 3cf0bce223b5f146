"""A small network that answers questions about scenes: the cells of an image, weighed by the question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.images.scenes import COLORS, SHAPES, Scene
from pellucid.learning.captioned import HELD, HELD_OUT, Pixels, covered, scenes_of, weighed
from pellucid.learning.networks import seeded
from pellucid.learning.objective import Objective, Tensors
from pellucid.learning.train import Recipe, Trained, train
from pellucid.resume import place

QUESTIONS = (*(f"what color is the {shape}" for shape in SHAPES), *(f"what shape is {color}" for color in COLORS))
"""Those that have an answer where a scene has such a thing."""
ANSWERS = (*COLORS, *SHAPES)
_EMBEDDED, _HIDDEN, _CHANNELS = 32, 64, 32


def answered(scene: Scene) -> list[tuple[int, int, int]]:
    """The questions that a scene answers: (question, answer, object asked about)."""
    found = []
    for k, (color, shape) in enumerate(zip(scene.colors, scene.shapes, strict=True)):
        found.append((QUESTIONS.index(f"what color is the {shape}"), ANSWERS.index(color), k))
        found.append((QUESTIONS.index(f"what shape is {color}"), ANSWERS.index(shape), k))
    return found


def vocabulary() -> tuple[str, ...]:
    """The words of all questions."""
    return tuple(sorted({word for question in QUESTIONS for word in question.split()}))


def tokens_of() -> Int[Tensor, "questions words"]:
    """The words of each question by their numbers, the number behind the last where it has fewer."""
    words, rows = vocabulary(), [question.split() for question in QUESTIONS]
    longest = max(map(len, rows))
    return torch.tensor([[*map(words.index, row), *[len(words)] * (longest - len(row))] for row in rows])


class Answering(nn.Module):
    """Maps of images and questions -> logits of the answers (N, answers), attention (N, cells).

    The question is the mean of its embedded words, q. Attention is softmax over the cells of v · tanh(A a_i + B q), and
    the answer is read from Σ α_i a_i and q (Xu et al. 2015, with the question in place of the state; after Yang et al.
    2016, section 3.3).
    """

    questions: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("questions", tokens_of())
        self.encoder = Pixels()
        self.words = nn.Embedding(len(vocabulary()) + 1, _EMBEDDED, padding_idx=len(vocabulary()))
        self.by_cell, self.by_question = nn.Linear(_CHANNELS, _HIDDEN), nn.Linear(_EMBEDDED, _HIDDEN, bias=False)
        self.energy = nn.Linear(_HIDDEN, 1, bias=False)
        self.hidden = nn.Linear(_CHANNELS + _EMBEDDED, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, len(ANSWERS))

    def forward(self, images: Tensor) -> Tensor:
        """The maps of images in 0..1."""
        maps: Tensor = self.encoder(images)
        return maps

    def answer(
        self, maps: Float[Tensor, "n c rows columns"], questions: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n answers"], Float[Tensor, "n cells"]]:
        """(logits, attention) of one question for each image."""
        cells = maps.flatten(2).transpose(1, 2)
        tokens = self.questions[questions]
        known = (tokens < len(vocabulary()))[..., None]
        question = (self.words(tokens) * known).sum(1) / known.sum(1)
        fits = torch.tanh(self.by_cell(cells) + self.by_question(question)[:, None])
        attention = self.energy(fits)[..., 0].softmax(1)
        context = (attention[:, None] @ cells)[:, 0]
        hidden = F.relu(self.hidden(torch.cat([context, question], 1)))
        return self.out(hidden), attention

    def objective(self, asked: Int[Tensor, "scenes 4 3"]) -> Objective:
        """The mean cross entropy of all four questions that each scene answers; all four right is right."""

        def loss(maps: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            which = asked[labels]
            many = which.shape[1]
            logits, _ = self.answer(maps.repeat_interleave(many, 0), which[..., 0].reshape(-1))
            truth = which[..., 1].reshape(-1)
            each = F.cross_entropy(logits, truth, reduction="none").view(-1, many)
            return each.mean(1), (logits.argmax(1) == truth).view(-1, many).all(1)

        return loss


@dataclass(frozen=True, eq=False)
class Answered:
    """A network that has learned to answer, and scenes that it has not seen."""

    module: Answering
    trained: Trained
    scenes: tuple[Scene, ...]
    images: Float[Tensor, "n 3 side side"]


@lru_cache(1)  # a minute of training for a hundred kilobytes
def of_scenes(count: int, recipe: Recipe) -> Answered:
    """Trained on so many scenes of the recipe's seed, with all questions that each answers."""
    found, pixels = scenes_of(count, recipe.seed)
    test, seen = scenes_of(min(HELD_OUT, count), recipe.seed, HELD)
    module = seeded(Answering, recipe.seed)
    asked = torch.tensor([answered(one) for one in found])
    data, folder = Tensors(pixels, torch.arange(count)), place(f"answers about scenes {count} {recipe}")
    trained = train(module, data, recipe, objective=module.objective(asked), folder=folder)
    return Answered(module.eval(), trained, test, seen)


def explained(
    module: Answering, maps: Float[Tensor, "n c rows columns"], questions: Int[Tensor, " n"]
) -> tuple[Float[Tensor, "n answers"], Float[Tensor, "n 3 rows columns"]]:
    """(log probabilities of the answers; attention, Grad-CAM and gradient × activation of the best) of questions."""
    with torch.enable_grad():
        held = maps.detach().requires_grad_()
        logits, attention = module.answer(held, questions)
        said = logits.log_softmax(1)
        (slope,) = torch.autograd.grad(said.max(1).values.sum(), held)
    found = [attention.view(len(maps), *maps.shape[2:]), *weighed(held, slope)]
    return said.detach(), torch.stack(found, 1).detach()


@dataclass(frozen=True, eq=False)
class Marks:
    """How good the answers to held-out scenes are."""

    accuracy: float
    blind: float
    """Of the answers about another scene."""
    maps: np.ndarray
    """(questions asked, 3) share of each map's positive part inside the object asked about."""
    others: np.ndarray
    """The same in the other object."""
    area: np.ndarray
    """(questions asked,) what the object covers."""
    kinds: tuple[str, ...]
    """color or shape, of each."""


def judged(learned: Answered, batch: int = 100) -> Marks:
    """All questions that the held-out scenes answer."""
    module = learned.module
    asked = torch.tensor([answered(one) for one in learned.scenes])
    many = asked.shape[1]
    with torch.no_grad():
        maps = torch.cat([module.encoder(some) for some in learned.images.split(batch)])
        other = module.answer(maps.roll(1, 0).repeat_interleave(many, 0), asked[..., 0].reshape(-1))[0].argmax(1)
    said, found = explained(module, maps.repeat_interleave(many, 0), asked[..., 0].reshape(-1))
    truth, which = asked[..., 1].reshape(-1), asked[..., 2].reshape(-1)
    cells, area = (one.repeat_interleave(many, 0) for one in covered(learned.scenes, maps))
    values = found.flatten(2).double().clamp(min=0)
    values = values / values.sum(2, keepdim=True).clamp(min=1e-12)
    rows = torch.arange(len(which))
    own, off = ((values * cells[rows, k][:, None]).sum(2).numpy() for k in (which, 1 - which))
    kinds = tuple("color" if one < len(SHAPES) else "shape" for one in asked[..., 0].reshape(-1).tolist())
    right = float((said.argmax(1) == truth).double().mean())
    return Marks(right, float((other == truth).double().mean()), own, off, area[rows, which].numpy(), kinds)
