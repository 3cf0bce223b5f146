"""Visual question answering: answers to questions about scenes, and where each was read off."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import unknown
from pellucid.images import Images
from pellucid.learning.answering import ANSWERS, QUESTIONS, Marks, explained, judged, of_scenes
from pellucid.learning.captioned import MAPS, PLACED, PREPROCESS
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Captions, Meta, Table
from pellucid.result.table import Cell

_DEFAULT = {"epochs": 25, "batch": 32, "optimizer": "adam", "lr": 2e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=25")
_HELP = {
    "question": "what it asks for",
    "map": "of the answer",
    "own": "share of the map's positive part inside the mask of the object asked about",
    "other": "the same in the mask of the other object",
    "area": "share of the scene that the object covers: what a map that is even everywhere has inside",
}


@method(
    "Visual question answering",
    purpose="answers to questions, and where each was read off",
    shows=(
        "Each column is a question with the most probable answer and its maps: where the question drew attention, and "
        "what speaks for the answer by Grad-CAM and by gradient × activation. Change the question and the maps must "
        "move. A question about a thing that is not there is answered as well. The network has learned generated "
        "scenes alone. Two to three minutes of training, then a pass for each question."
    ),
    source="Selvaraju et al. 2017, section 8.1; Yang et al. 2016 (stacked attention), section 3.3",
    quick={"samples": 200, "recipe": "epochs=2"},
)
def vqa(
    net: Net,
    images: Images,
    *,
    questions: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="questions such as 'what color is the square' or 'what shape is red'"),
        Default("those about each shape"),
    ] = None,
    samples: Annotated[int, Field(ge=8, le=10**5, description="number of generated scenes to learn from")] = 5000,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=25,lr=0.002,batch=32,optimizer=adam,seed=0")
    ] = _RECIPE,
) -> Captions:
    """Of each image the answer to K questions with its log probability, (N, K), and its maps.

    `values` (N, K, 3, rows, columns) are attention, and of the gradient g of the answer's log probability at the cells
    a Grad-CAM Σ_c mean(g_c) a_c and Σ_c g_c a_c, raw. 200 other scenes judge it, with all questions that they answer;
    `inside` has one row for each map of each kind of question. The network that is asked about does not matter. Raises
    UnknownName, with the nearest, for a question that it has not learned.
    """
    asked = tuple(map(_known, questions or QUESTIONS[:3]))
    learned = of_scenes(samples, recipe.recipe(**_DEFAULT))
    quality = judged(learned)
    seen = PREPROCESS.prepare(images.on(torch.device("cpu")))
    numbers = torch.tensor([QUESTIONS.index(one) for one in asked])
    parts, scores, values = [], [], []
    for i in steps(range(len(seen)), "images"):
        with torch.no_grad():
            maps = learned.module(seen[i].pixels.float())
        said, found = explained(learned.module, maps.expand(len(asked), *maps.shape[1:]), numbers)
        parts.append(tuple(ANSWERS[int(one)] for one in said.argmax(1)))
        scores.append(said.max(1).values.double().numpy())
        values.append(found.numpy())
    notes = (
        *seen.notes,
        Note("choice", f"trained on {samples} scenes; {len(learned.scenes)} others judge it"),
        Note("reading", "it has learned two colored shapes on gray, and answers so about every image"),
        *([Note("values", learned.trained.ended)] if learned.trained.ended else []),
    )
    return Captions(
        ("",) * len(seen), tuple(parts), np.stack(scores), np.stack(values), MAPS,
        np.stack([seen.shown(i, seen=True) for i in range(len(seen))]), PLACED, np.full(len(seen), np.nan), "nats",
        ("share of the attention", "nats", "nats"), (False, True, True), asked, {"inside": _inside(quality)},
        _findings(quality), Meta(found={"answers right": quality.accuracy}, notes=notes),
    )  # fmt: skip


def _known(question: str) -> str:
    plain = " ".join(re.sub("colou?r", "color", question.lower()).strip(" ?").split())
    if plain not in QUESTIONS:
        raise unknown("question", question, QUESTIONS)
    return plain


def _inside(quality: Marks) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for kind in ("color", "shape"):
        which = np.array([one == kind for one in quality.kinds])
        for m, name in enumerate(MAPS):
            own, other = float(quality.maps[which, m].mean()), float(quality.others[which, m].mean())
            rows.append((kind, name, own, other, float(quality.area[which].mean())))
    return Table(dict(zip(_HELP, zip(*rows, strict=True), strict=True)), _HELP, (), ("own", "area"))


def _findings(quality: Marks) -> tuple[str, ...]:
    times = (quality.maps.mean(0) / quality.area.mean()).tolist()
    each = ", ".join(f"{name} {one:.1f}" for name, one in zip(MAPS, times, strict=True))
    return (
        f"{quality.accuracy:.1%} of the answers about held-out scenes are right, {quality.blind:.1%} of those about "
        "another scene",
        f"the object asked about has as many times what an even map would put there: {each}",
    )
