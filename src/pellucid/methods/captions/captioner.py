"""Captioner: a sentence about an image, and for each of its words where the network looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.geometry import Placement
from pellucid.images import Images, read
from pellucid.learning.captioned import (
    MAPS,
    PLACED,
    PREPROCESS,
    Learned,
    captioned,
    judged,
    of_maps,
    of_scenes,
    read_table,
    scenes_of,
)
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.learning.train import Recipe
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Captions, Meta
from pellucid.result.meta import Found
from pellucid.saliency.layers import chosen_layer

_DEFAULT = {"epochs": 14, "batch": 32, "optimizer": "adam", "lr": 4e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=14")
_UNITS, _SIGNED = ("share of the attention", "nats", "nats"), (False, True, True)


@method(
    "Captioner",
    purpose="a sentence about an image, and where each word came from",
    shows=(
        "Read the sentence with the share of right words on held-out images, and below each word three maps of that "
        "word alone. Attention is what the network weighed, and another seed may speak as well and look elsewhere. "
        "Grad-CAM averages gradients over places, which attention has made local: the product keeps the place. Trained "
        "on generated scenes it knows two colored shapes and nothing else, whatever the photo. One to two minutes of "
        "training, then some passes for each word."
    ),
    source="Xu et al. 2015, sections 3.1.2 and 4.2 (doubly stochastic attention); Selvaraju et al. 2017, section 7.1",
    quick={"samples": 200, "recipe": "epochs=2"},
)
def captioner(
    net: Net,
    images: Images,
    *,
    table: Annotated[
        str | None,
        Field(description="file of images and sentences to learn from, a .csv with the columns image and sentence"),
        Default("generated scenes"),
        Shell(value="FILE"),
    ] = None,
    layer: Annotated[
        LayerName | None,
        Field(description="layer of the network whose cells the captioner attends to, which is not trained"),
        Default("for scenes three convolutions that are trained along, for a table the last layer with maps"),
    ] = None,
    samples: Annotated[int, Field(ge=8, le=10**5, description="number of scenes, or of rows at most, to learn")] = 3000,
    coverage: Annotated[
        float, Field(ge=0, description="weight of the loss that asks for even attention over the whole sentence")
    ] = 0.0,
    beam: Annotated[int, Field(ge=1, le=20, description="number of captions kept in the search; 1: greedy")] = 3,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=14,lr=0.004,batch=32,optimizer=adam,seed=0")
    ] = _RECIPE,
) -> Captions:
    """A caption for each image in up to K words, with the log probability of each, (N, K), and its maps.

    `values` (N, K, 3, rows, columns) are of each word the attention, and of the gradient g of its log probability at
    the cells a: Grad-CAM Σ_c mean(g_c) a_c and Σ_c g_c a_c, raw. The caption is the most probable that a beam finds.
    The loss is −log p of each word + `coverage` · Σ over cells (1 − Σ over words of the attention)², over the number of
    words. Held-out images judge what the captioner says by itself, never what it says after words of the truth: 200
    other scenes, or a fourth of the rows; `inside` has one row for each map of each word that names an object, with its
    share on that object. Without `layer` the network that is asked about gives nothing. Raises PellucidError in one
    line for a table that cannot be read.
    """
    how = recipe.recipe(**_DEFAULT)
    if table is None and layer is None:
        shown = Shown.through_convolutions(images)
        learned = of_scenes(samples, coverage, how)
    else:
        shown = Shown.through_layer(net, images, layer)
        learned = _of_layer(net, str(shown.layer), table, samples, coverage, how)
    quality = judged(learned)
    said = [captioned(learned.module, shown.inputs[i : i + 1], beam) for i in steps(range(len(shown.images)), "images")]
    parts = tuple(words for words, _, _ in said)
    told: dict[str, Found] = {"words right": quality.words, "sentences right": quality.sentences}
    told |= {"layer": shown.layer} if shown.layer else {}
    return Captions(
        tuple(" ".join(filter(None, one)) for one in parts), parts, np.stack([log for _, log, _ in said]),
        np.stack([maps for _, _, maps in said]), MAPS, shown.photos, shown.placement, np.full(len(said), np.nan),
        "nats", _UNITS, _SIGNED, tables={} if quality.inside is None else {"inside": quality.inside},
        findings=quality.findings, meta=Meta(found=told, notes=(*shown.notes, *_notes(learned, table, shown.layer))),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shown:
    """The images that are asked about, as a captioner takes them."""

    images: Images
    inputs: Float[Tensor, "n c rows columns"]
    placement: Placement
    layer: str | None = None
    notes: tuple[Note, ...] = ()

    @classmethod
    def through_convolutions(cls, images: Images) -> Shown:
        """As pixels, small."""
        seen = PREPROCESS.prepare(images.on(torch.device("cpu")))
        return cls(seen, seen.pixels.float(), PLACED, notes=seen.notes)

    @classmethod
    def through_layer(cls, net: Net, images: Images, layer: str | None) -> Shown:
        """As maps of a layer, the last one where none is named."""
        seen = net.prepare(images)
        chosen = chosen_layer(net, seen, (), layer, "auto")
        notes = (*seen.notes, *chosen.note)
        return cls(seen, _maps(net, seen, chosen.name), chosen.placement, chosen.name, notes)

    @property
    def photos(self) -> UInt8[np.ndarray, "n height width 3"]:
        """What the captioner sees."""
        return np.stack([self.images.shown(i, seen=True) for i in range(len(self.images))])


def _of_layer(net: Net, layer: str, table: str | None, samples: int, coverage: float, how: Recipe) -> Learned:
    """A captioner of the maps of a layer, for scenes or for a table."""
    if table is None:
        scenes, pixels = scenes_of(samples, how.seed)
        images: list[Any] = [one.permute(1, 2, 0).numpy() for one in pixels]
        sentences, known = [one.words for one in scenes], scenes
    else:
        files, every = read_table(table)
        images, sentences, known = [*files[:samples]], every[:samples], ()
    maps = [_maps(net, net.prepare(read(one)), layer) for one in steps(images, "images")]
    return of_maps(torch.cat(maps), sentences, coverage, how, known)


def _maps(net: Net, seen: Images, layer: str) -> Float[Tensor, "n c rows columns"]:
    """A layer's maps of images one by one, so that no other image of a batch has a part in them."""
    found = [net.run(one.pixels, layers=[layer], stop=True)[layer].detach().float().cpu() for one in seen]
    return torch.cat(found).clone()


def _notes(learned: Learned, table: str | None, layer: str | None) -> tuple[Note, ...]:
    what = "scenes" if table is None else "images of the table"
    words = len(learned.module.vocabulary) - 2
    said = [Note("choice", f"trained on {learned.shown} {what}, with {words} words; {len(learned.sentences)} judge it")]
    if table is None:
        said.append(Note("reading", "it has learned two colored shapes on gray, and says so of every image"))
    if layer is None:
        said.append(Note("choice", "its convolutions were trained along: without layer= the network gives nothing"))
    return (*said, *([Note("values", learned.trained.ended)] if learned.trained.ended else []))
