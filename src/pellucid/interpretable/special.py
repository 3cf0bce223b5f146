"""Layers whose numbers have a meaning that is known: a concept bottleneck, and concept whitening."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError


class Bottleneck(nn.Module):
    """x (N, F) -> concepts -> classes: the classes see nothing but the concepts (Koh et al. 2020).

    `sizes` are how many values each concept has; the concepts (N, Σ sizes) are probabilities, which sum to 1 for each
    concept. `forward` gives logits (N, classes).
    """

    def __init__(self, inputs: int, sizes: tuple[int, ...], classes: int, *, hidden: int = 0) -> None:
        super().__init__()
        self.sizes = sizes
        wide = sum(sizes)
        self.to_concepts: nn.Module = nn.Linear(inputs, wide)
        if hidden:
            self.to_concepts = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, wide))
        self.to_classes = nn.Sequential(nn.Linear(wide, 64), nn.ReLU(), nn.Linear(64, classes))

    def scores(self, x: Tensor) -> Tensor:
        """(N, Σ sizes) logits of the concepts' values."""
        found: Tensor = self.to_concepts(x.flatten(1))
        return found

    def concepts(self, x: Tensor) -> Tensor:
        """(N, Σ sizes) their probabilities."""
        return self.shares(self.scores(x))

    def shares(self, scores: Tensor) -> Tensor:
        """Logits of concepts as probabilities, concept by concept."""
        return torch.cat([part.softmax(-1) for part in scores.split(self.sizes, -1)], -1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.to_classes(self.concepts(x))
        return found

    def corrected(self, concepts: Tensor, true: Tensor, chosen: Tensor) -> Tensor:
        """Concepts with some of them set right, (N, Σ sizes): `chosen` (N, concepts) says which; `true` are one-hot."""
        if chosen.shape[-1] != len(self.sizes):
            raise PellucidError(f"{chosen.shape[-1]} choices: one for each of {len(self.sizes)} concepts")
        wide = torch.repeat_interleave(chosen, torch.tensor(self.sizes), dim=-1)
        return torch.where(wide, true, concepts)


def one_hot(values: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """(N, concepts) whole numbers -> (N, Σ sizes)."""
    return torch.cat(
        [torch.nn.functional.one_hot(values[:, k], size) for k, size in enumerate(sizes)], 1
    ).to(torch.get_default_dtype())  # fmt: skip


class ConceptWhitening(nn.Module):
    """Q W (x − μ): channels (N, C) or (N, C, H, W) made uncorrelated and of variance 1, then turned so that axis k is
    concept k (Chen, Bei & Rudin 2020). Same shape.

    `fit` computes μ and W = Σ^(−½) from examples, `align` the rotation Q; nothing is trained by gradients. Whitening
    loses nothing: a linear layer behind can undo it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.whiten: Tensor
        self.turn: Tensor
        for name, start in (("mean", torch.zeros(channels)), ("whiten", torch.eye(channels)),
                            ("turn", torch.eye(channels))):  # fmt: skip
            self.register_buffer(name, start.double())

    def fit(self, x: Tensor, damping: float = 1e-5) -> ConceptWhitening:
        """μ and W of rows (n, C); `damping` is added to the covariance's eigenvalues, relative to the largest."""
        rows = x.detach().double()
        self.mean = rows.mean(0)
        values, vectors = torch.linalg.eigh((rows - self.mean).T @ (rows - self.mean) / len(rows))
        self.whiten = vectors @ torch.diag((values + damping * values[-1]).rsqrt()) @ vectors.T
        return self

    def align(self, examples: list[Tensor]) -> ConceptWhitening:
        """Turn axis k to where the whitened mean of the k-th examples (n, C) lies, all at right angles: the rotation
        with the largest Σ_k q_k · m_k (orthogonal Procrustes, Schönemann 1966). At most C concepts."""
        channels = len(self.mean)
        if len(examples) > channels:
            raise PellucidError(f"{len(examples)} concepts and {channels} channels: an axis for each is needed")
        means = torch.stack([((one.detach().double() - self.mean) @ self.whiten).mean(0) for one in examples])
        means = means / means.norm(dim=1, keepdim=True).clamp(min=1e-12)
        left, _, right = torch.linalg.svd(means, full_matrices=True)  # means = left · S · right[:K]
        first = left @ right[: len(examples)]
        self.turn = torch.cat([first, right[len(examples) :]])
        return self

    def forward(self, x: Tensor) -> Tensor:
        rows = x.movedim(1, -1)
        found = ((rows.double() - self.mean) @ self.whiten.T @ self.turn.T).to(x.dtype)
        return found.movedim(-1, 1)
