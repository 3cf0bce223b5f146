"""A captioner that is trained: on generated scenes, or on a table of images with sentences; and how good it is."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.geometry import Floats, Placement
from pellucid.images.scenes import COLOR_AT, SHAPE_AT, SIDE, Scene, scene
from pellucid.learning.captioner import END, Captioner, Taught, Vocabulary, beam_search, convolutions
from pellucid.learning.networks import seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, Trained, train
from pellucid.net import Preprocess
from pellucid.result import Table
from pellucid.resume import place
from pellucid.rng import generator

ATTENTION, CAM, PRODUCT = "attention", "Grad-CAM", "gradient × activation"
MAPS = (ATTENTION, CAM, PRODUCT)
PREPROCESS = Preprocess(resize=SIDE, crop=(SIDE, SIDE))
"""How images become what the convolutions of scenes take; they are shifted by half of their range besides."""
PLACED = Placement((1.5, 1.5), (4.0, 4.0), (12.0, 12.0), local=(12.0, 12.0))
"""Where the cells of these convolutions lie."""
HELD_OUT, HELD = 200, 10**6
"""Scenes that judge a captioner, at the most, and the number of the first of them: training takes none of these."""
_LONGEST = 20
_NAMED = tuple((at, k, what) for what, ats in (("color", COLOR_AT), ("shape", SHAPE_AT)) for k, at in enumerate(ats))
"""(position, object, kind) of the words of a scene's sentence that name something."""
_HELP = {
    "word": "of the sentence of a scene: color and shape of the first and of the second object",
    "map": "of that word",
    "own": "share of the map's positive part inside the mask of the object that the word names",
    "other": "the same in the mask of the other object",
    "area": "share of the scene that the named object covers: what a map that is even everywhere has inside",
    "pointing": "share of the scenes in which the largest cell of the map lies on the named object for the most part",
}


class Scaled(nn.Module):
    """Maps of a layer that is not trained, each channel over its root mean square on the training images."""

    scale: Tensor

    def __init__(self, maps: Float[Tensor, "n c rows columns"]) -> None:
        super().__init__()
        self.register_buffer("scale", maps.square().mean((0, 2, 3)).sqrt().clamp(min=1e-6)[:, None, None])

    def forward(self, maps: Tensor) -> Tensor:
        """The same maps on one scale."""
        return maps / self.scale


class Pixels(nn.Module):
    """Images in 0..1 through the convolutions that are trained along."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = convolutions()

    def forward(self, images: Tensor) -> Tensor:
        """The maps of the last."""
        maps: Tensor = self.convolutions(images - 0.5)
        return maps


@dataclass(frozen=True, eq=False)
class Learned:
    """A captioner with its course, and the images that were held out."""

    module: Captioner
    trained: Trained
    test: Float[Tensor, "n c h w"]
    sentences: tuple[tuple[str, ...], ...]
    """Of the held-out images."""
    scenes: tuple[Scene, ...] = ()
    """Where these are scenes."""
    shown: int = 0
    """How many images it was trained on."""


def scenes_of(count: int, seed: int, first: int = 0) -> tuple[tuple[Scene, ...], Float[Tensor, "n 3 side side"]]:
    """Scenes with their pixels in 0..1."""
    found = tuple(scene(first + i, seed) for i in range(count))
    pixels = torch.from_numpy(np.stack([one.pixels for one in found])).permute(0, 3, 1, 2)
    return found, pixels.float() / 255


@lru_cache(1)  # a minute of training for half a megabyte: one photo after another is asked about
def of_scenes(count: int, coverage: float, recipe: Recipe) -> Learned:
    """Trained on so many scenes of the recipe's seed, from weights that depend on the seed alone."""
    found, pixels = scenes_of(count, recipe.seed)
    test, seen = scenes_of(min(HELD_OUT, count), recipe.seed, HELD)
    sentences, judges = [one.words for one in found], tuple(one.words for one in test)
    trained = _trained(pixels, sentences, Pixels, 32, coverage, recipe, f"scenes {count}")
    return replace(trained, test=seen, sentences=judges, scenes=test)


def of_maps(
    maps: Float[Tensor, "n c rows columns"], sentences: Sequence[tuple[str, ...]], coverage: float, recipe: Recipe,
    scenes: Sequence[Scene] = (),
) -> Learned:  # fmt: skip
    """Trained on the maps of a layer, with three fourths of the images; the others, at random, judge it."""
    if len(maps) < 8:
        raise PellucidError(f"{len(maps)} images with sentences: to train on some and hold others out takes 8 at least")
    order = generator(recipe.seed, "held out").permutation(len(maps))
    held, kept = np.sort(order[: len(maps) // 4]), np.sort(order[len(maps) // 4 :])
    given = [sentences[i] for i in kept]
    found = _trained(maps[kept], given, lambda: Scaled(maps[kept]), maps.shape[1], coverage, recipe, "maps")
    judges = tuple(sentences[i] for i in held)
    return replace(found, test=maps[held], sentences=judges, scenes=tuple(scenes[i] for i in held) if scenes else ())


def _trained(
    inputs: Tensor, sentences: Sequence[tuple[str, ...]], make: Callable[[], nn.Module], channels: int,
    coverage: float, recipe: Recipe, what: str,
) -> Learned:  # fmt: skip
    vocabulary = Vocabulary.of(sentences)
    tokens = vocabulary.tokens([one[: _LONGEST - 1] for one in sentences])
    module = seeded(lambda: Captioner(vocabulary, tokens.shape[1], make(), channels), recipe.seed)
    data = Tensors(inputs, torch.arange(len(inputs)))
    folder = place(f"captioner of {what} {coverage} {recipe} {sentences}")
    trained = train(Taught(module), data, recipe, objective=module.objective(tokens, coverage), folder=folder)
    return Learned(module.eval(), trained, inputs[:0], (), shown=len(inputs))


def read_table(path: str | Path) -> tuple[list[Path], list[tuple[str, ...]]]:
    """(files, words of their sentences) of a .csv with the columns image and sentence; paths are relative to it.

    Words are in lower case, without punctuation. Raises PellucidError in one line for any other file.
    """
    file = Path(path).expanduser()
    how = "a .csv with the columns image and sentence"
    try:
        with file.open(newline="", encoding="utf-8-sig") as held:
            rows = list(csv.DictReader(held))
    except (OSError, ValueError, csv.Error) as error:
        raise PellucidError(f"table={str(path)!r} cannot be read ({error}): {how}") from error
    if not rows or not {"image", "sentence"} <= set(rows[0]):
        raise PellucidError(f"table={str(path)!r} is no table of sentences: {how}")
    files, sentences = [], []
    for i, row in enumerate(rows):
        words = tuple(re.findall(r"[\w'-]+", (row["sentence"] or "").lower()))
        if not words or not row["image"]:
            raise PellucidError(f"table={str(path)!r}, row {i + 1}: it needs an image and a sentence")
        files.append(file.parent / row["image"])
        sentences.append(words)
    return files, sentences


def explained(
    module: Captioner, maps: Float[Tensor, "n c rows columns"], tokens: Int[Tensor, "n t"]
) -> tuple[Float[Tensor, "n t"], Float[Tensor, "n t 3 rows columns"]]:
    """Of each token of each caption the log probability, and the maps `MAPS` over the cells.

    With a the annotations and g the gradient of the log probability of that token alone: attention α_ti, Grad-CAM
    Σ_c (mean over cells of g_c) a_c, and Σ_c g_c a_c, which keeps the place where attention made the gradient local.
    """
    with torch.enable_grad():
        held = maps.detach().requires_grad_()
        logits, attention = module.spoken(held, tokens)
        said = logits.log_softmax(2).gather(2, tokens[..., None])[..., 0]
        cams, products = [], []
        for t in range(tokens.shape[1]):
            (slope,) = torch.autograd.grad(said[:, t].sum(), held, retain_graph=True)
            cam, product = weighed(held, slope)
            cams.append(cam)
            products.append(product)
    shape = (*tokens.shape, *maps.shape[2:])
    found = [attention.reshape(shape), torch.stack(cams, 1), torch.stack(products, 1)]
    return said.detach(), torch.stack(found, 2).detach()


def weighed(maps: Float[Tensor, "n c rows columns"], slope: Tensor) -> tuple[Tensor, Tensor]:
    """(N, rows, columns) Grad-CAM, and gradient × activation, of annotations and the gradient at them."""
    return (slope.mean((2, 3), keepdim=True) * maps).sum(1), (slope * maps).sum(1)


def covered(scenes: Sequence[Scene], maps: Tensor) -> tuple[Float[Tensor, "n 2 cells"], Float[Tensor, "n 2"]]:
    """What of each cell of the maps, and of each whole scene, either object covers."""
    masks = torch.from_numpy(np.stack([one.masks for one in scenes])).float()
    cells = F.adaptive_avg_pool2d(masks, (maps.shape[-2], maps.shape[-1]))
    return cells.flatten(2).double(), masks.mean((2, 3))


def captioned(
    module: Captioner, inputs: Tensor, beam: int
) -> tuple[tuple[str, ...], Floats, Float[np.ndarray, "k m rows columns"]]:
    """The words of one image, the first of the inputs, their log probabilities and maps; filled up to the longest."""
    with torch.no_grad():
        maps = module.encoder(inputs)
    tokens = beam_search(module, maps, beam).tokens
    words = module.vocabulary.said(tokens)
    scores = np.full(module.longest, np.nan)
    values = np.zeros((module.longest, len(MAPS), *maps.shape[2:]), np.float32)
    if words:
        log, found = explained(module, maps, torch.tensor([tokens[: len(words)]], dtype=torch.int64))
        scores[: len(words)], values[: len(words)] = log[0].double().numpy(), found[0].numpy()
    return (*words, *[""] * (module.longest - len(words))), scores, values


@dataclass(frozen=True, eq=False)
class Judged:
    """How good a captioner is on images that were held out. What it says itself counts, word by word."""

    right: Bool[Tensor, "n t"]
    """Whether the word at each position is that of the sentence, its end included."""
    counted: Bool[Tensor, "n t"]
    """Positions of the sentence."""
    nats: float
    """Of a word of the true sentence, those before it given."""
    blind: float
    """The same with another image."""
    inside: Table | None = None
    """Of scenes: how much of each map lies on the object that the word names."""

    @property
    def words(self) -> float:
        """Share of the words that are right."""
        return float(self.right[self.counted].double().mean())

    @property
    def sentences(self) -> float:
        """Share of the sentences of which every word is."""
        return float((self.right | ~self.counted).all(1).double().mean())

    @property
    def findings(self) -> tuple[str, ...]:
        """The same in sentences."""
        said = [
            f"{self.words:.1%} of the words and {self.sentences:.1%} of the sentences are right on {len(self.right)} "
            "held-out images",
            f"a word of a true sentence costs {self.nats:.2f} nats, and {self.blind:.2f} beside another image",
        ]
        inside = self.inside.rows if self.inside is not None else ()
        for name in MAPS if inside else ():
            rows = [row for row in inside if row["map"] == name and row["own"] is not None]
            times = [float(row["own"] or 0) / float(row["area"] or 1) for row in rows]
            if times:
                low, high = min(times), max(times)
                said.append(f"{name}: {low:.1f} to {high:.1f} times what an even map has on the object that is named")
        return tuple(said)


def judged(learned: Learned, batch: int = 50) -> Judged:
    """The captioner on its held-out images: greedy, without a word of the truth."""
    module, truth = learned.module, learned.module.vocabulary.tokens(learned.sentences)
    truth = truth[:, : module.longest]
    truth = F.pad(truth, (0, module.longest - truth.shape[1]), value=END)
    counted = (truth != END) | ((truth == END).cumsum(1) == 1)
    with torch.no_grad():
        maps = torch.cat([module.encoder(some) for some in learned.test.split(batch)])
        said = torch.cat([module.spoken(some)[0].argmax(2) for some in maps.split(batch)])
        ended = ((said == END).cumsum(1) > 0) & (said != END)
        said = torch.where(ended, END, said)  # what follows the end is not said
        nats, blind = (float(module.losses(one, truth, 0.0)[0].double().mean()) for one in (maps, maps.roll(1, 0)))
    inside = _inside(module, maps, said, learned.scenes, batch) if learned.scenes else None
    return Judged(said == truth, counted, nats, blind, inside)


def _inside(module: Captioner, maps: Tensor, said: Tensor, scenes: Sequence[Scene], batch: int) -> Table:
    """Of the words that are right: the share of each map on the named object and on the other, over the scenes."""
    found = torch.cat([
        explained(module, some, tokens)[1] for some, tokens in zip(maps.split(batch), said.split(batch), strict=True)
    ])  # fmt: skip
    cells, area = covered(scenes, maps)
    words = [one.words for one in scenes]
    table: list[tuple[str | float | None, ...]] = []
    for at, k, what in sorted(_NAMED):
        right = torch.tensor(
            [module.vocabulary.words[int(t)] == word[at] for t, word in zip(said[:, at], words, strict=True)]
        )
        for m, name in enumerate(MAPS):
            values = found[:, at, m].flatten(1).double().clamp(min=0)
            known = right & (values.sum(1) > 0)
            label = f"{what} {k + 1}"
            if not known.any():
                table.append((label, name, None, None, float(area[:, k].mean()), None))
                continue
            share, on, off = (one[known] for one in (values, cells[:, k], cells[:, 1 - k]))
            share = share / share.sum(1, keepdim=True)
            peak = on.gather(1, share.argmax(1, keepdim=True)) >= 0.5
            table.append((
                label, name, float((share * on).sum(1).mean()), float((share * off).sum(1).mean()),
                float(area[known, k].mean()), float(peak.double().mean()),
            ))  # fmt: skip
    return Table(dict(zip(_HELP, zip(*table, strict=True), strict=True)), _HELP, (), ("own", "area"))
