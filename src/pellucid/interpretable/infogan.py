"""InfoGAN: a generator whose codes another network can read back from its images (Chen et al. 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.ambient import neutral
from pellucid.errors import PellucidError
from pellucid.learning.networks import seeded
from pellucid.progress import steps as each
from pellucid.progress import stop_point
from pellucid.rng import generator

NOISE, CODES = 62, 2
_BATCH, _EVERY = 64, 50
_RATES = {"critic": 2e-4, "generator": 1e-3}


class Generator(nn.Module):
    """Noise (N, 62), a category one-hot (N, categories) and two codes (N, 2) -> images (N, C, H, W) in 0..1."""

    def __init__(self, shape: tuple[int, int, int], categories: int, width: int = 256) -> None:
        super().__init__()
        self.shape, self.categories = shape, categories
        self.layers = nn.Sequential(
            nn.Linear(NOISE + categories + CODES, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, math.prod(shape)), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, noise: Tensor, category: Tensor, codes: Tensor) -> Tensor:
        found: Tensor = self.layers(torch.cat([noise, category, codes], 1))
        return found.reshape(len(found), *self.shape)


class Critic(nn.Module):
    """Images -> (logit of being real (N,), logits of the category (N, categories), means of the codes (N, 2)). The
    first two layers serve all three."""

    def __init__(self, pixels: int, categories: int, width: int = 256) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.LeakyReLU(0.1), nn.Linear(width, width), nn.LeakyReLU(0.1)
        )
        self.real = nn.Linear(width, 1)
        self.read = nn.Sequential(nn.Linear(width, 128), nn.LeakyReLU(0.1), nn.Linear(128, categories + CODES))
        self.categories = categories

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inside = self.trunk(images)
        found = self.read(inside)
        return self.real(inside)[:, 0], found[:, : self.categories], found[:, self.categories :]


def bound(logits: Tensor, categories: Tensor) -> Tensor:
    """L_I = E log Q(c | G(z, c)) + H(c) ≤ I(c; G) of categories drawn evenly, in nats: at most their logarithm."""
    return math.log(logits.shape[1]) - F.cross_entropy(logits, categories)


@dataclass(frozen=True, eq=False)
class Made:
    """An InfoGAN after training: `bounds` (K,) in nats and `losses` (K, 2), of critic and generator, at steps `at`."""

    generator: Generator
    critic: Critic
    at: Int[np.ndarray, " k"]
    bounds: Float[np.ndarray, " k"]
    losses: Float[np.ndarray, "k 2"]

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """((N, categories) probabilities, (N, 2) means of the codes) that are read from images."""
        self.critic.eval()
        with torch.no_grad():
            _, logits, codes = self.critic(images)
        return logits.softmax(1), codes

    def confidence(self, images: Tensor) -> float:
        """Mutual information of category and real image as the critic reads it, in nats: high where images are sure of
        a category and all categories are used. It knows no labels, so it may choose among seeds."""
        p = self.read(images)[0].double().clamp(min=1e-12)
        mean = p.mean(0)
        return float((p * p.log()).sum(1).mean() - (mean * mean.log()).sum())

    def correlation(self, seed: int = 0, count: int = 512) -> Float[np.ndarray, " codes"]:
        """(2,) |correlation| between codes drawn and codes read back from the images made with them."""
        noise, category, codes = drawn(seed, "correlation", count, self.generator.categories)
        self.generator.eval()
        with torch.no_grad():
            read = self.read(self.generator(noise, one_of(category, self.generator.categories), codes))[1]
        pairs = [np.corrcoef(codes[:, k].numpy(), read[:, k].numpy())[0, 1] for k in range(CODES)]
        return np.asarray(np.abs(np.nan_to_num(np.array(pairs))))

    def traversal(self, code: int, columns: int = 7, seed: int = 0) -> UInt8[np.ndarray, "h w 3"]:
        """One picture: categories from top to bottom, a code swept from −2 to 2 from left to right; the same noise."""
        many = self.generator.categories
        noise = drawn(seed, "traversal", 1, many)[0].expand(many * columns, -1)
        codes = torch.zeros(many * columns, CODES)
        codes[:, code] = torch.linspace(-2, 2, columns).repeat(many)
        category = torch.arange(many).repeat_interleave(columns)
        self.generator.eval()
        with torch.no_grad():
            images = self.generator(noise, one_of(category, many), codes)
        images = F.pad(images[:, :3], (0, 1, 0, 1), value=1.0)
        rows = images.unflatten(0, (many, columns)).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
        pixels = (rows if rows.shape[-1] == 3 else rows[..., :1].expand(-1, -1, 3)) * 255
        return np.ascontiguousarray(pixels.round().byte().numpy())


def drawn(seed: int, of: str, count: int, categories: int) -> tuple[Tensor, Tensor, Tensor]:
    """(noise (n, 62), categories (n,), codes (n, 2) in −1..1), by the seed and what they are for."""
    chance = generator(seed, "infogan", of)
    noise = torch.from_numpy(chance.standard_normal((count, NOISE))).float()
    category = torch.from_numpy(chance.integers(categories, size=count))
    return noise, category, torch.from_numpy(chance.uniform(-1, 1, (count, CODES))).float()


def one_of(category: Tensor, categories: int) -> Tensor:
    """(n, categories) one-hot."""
    return F.one_hot(category, categories).float()


@neutral()
def trained(
    images: Tensor, categories: int, *, steps: int = 4000, weight: float = 1.0, code_weight: float = 0.1,
    noise: float = 0.05, seed: int = 0,
) -> Made:  # fmt: skip
    """An InfoGAN of images (N, C, H, W) in 0..1: batches of 64, Adam with 0.0002 for the critic and 0.001 for the
    generator and what reads the codes; both see images with a little noise.

    `weight` is that of the bound, `code_weight` that of −log of a Gaussian around the codes' means (Chen et al. 2016,
    appendix C). Numbers depend on the seed alone.
    """
    if len(images) < 2 or categories < 2:
        raise PellucidError(f"{len(images)} images, {categories} categories: two of each at least")
    shape = (int(images.shape[1]), int(images.shape[2]), int(images.shape[3]))
    maker = seeded(lambda: Generator(shape, categories), seed)
    critic = seeded(lambda: Critic(math.prod(shape), categories), seed + 1)
    judge = [*critic.trunk.parameters(), *critic.real.parameters()]
    for_critic = torch.optim.Adam(judge, _RATES["critic"], (0.5, 0.999))
    for_maker = torch.optim.Adam([*maker.parameters(), *critic.read.parameters()], _RATES["generator"], (0.5, 0.999))
    rows: list[tuple[int, float, float, float]] = []
    maker.train()
    with torch.enable_grad():
        for step in each(range(steps), "steps"):
            chance = generator(seed, "infogan step", step)
            real = images[torch.from_numpy(chance.integers(len(images), size=_BATCH))].float()
            touch = torch.from_numpy(chance.standard_normal((2, *real.shape))).float() * noise
            z, category, codes = drawn(seed, f"step {step}", _BATCH, categories)
            fake = maker(z, one_of(category, categories), codes) + touch[1]
            yes, no = critic(real + touch[0])[0], critic(fake.detach())[0]
            loss = F.softplus(-yes).mean() + F.softplus(no).mean()
            for_critic.zero_grad(set_to_none=True)
            loss.backward()
            for_critic.step()
            said, logits, means = critic(fake)
            information = bound(logits, category)
            other = F.softplus(-said).mean() - weight * information
            other = other + code_weight * 0.5 * (means - codes).square().sum(1).mean()
            for_maker.zero_grad(set_to_none=True)
            other.backward()
            for_maker.step()
            stop_point()
            if step % _EVERY == 0 or step == steps - 1:
                rows.append((step + 1, float(information.detach()), float(loss.detach()), float(other.detach())))
    maker.eval()
    critic.eval()
    for part in (maker, critic):
        part.zero_grad(set_to_none=True)
    table = np.array(rows, np.float64)
    return Made(maker, critic, table[:, 0].astype(np.int64), table[:, 1], table[:, 2:])


def matched(groups: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]) -> tuple[float, dict[int, int]]:
    """(share of the images whose group is that of their class, group -> class): each group is matched with one class at
    most, so that as many as possible agree (Kuhn 1955)."""
    counts = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (groups, labels), 1)
    rows, columns = linear_sum_assignment(-counts)
    return float(counts[rows, columns].sum() / len(labels)), dict(zip(rows.tolist(), columns.tolist(), strict=True))
