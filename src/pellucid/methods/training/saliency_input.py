"""Saliency as an input: does a network learn more when it is shown where another one looked?"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.orders import between_0_and_1
from pellucid.evaluation.reasons import EXPLAINER, ExplainerOption, one_of
from pellucid.evaluation.summary import interval
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.learning.beside import Beside, Way
from pellucid.learning.objective import Objective, Tensors, images_of, objective_of
from pellucid.learning.reasons import to_train
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.learning.train import Recipe, Trained, train
from pellucid.net import Net
from pellucid.net.apart import inputs_of
from pellucid.net.tap import called
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.rng import generator
from pellucid.target import BEST

_DEFAULT = {"epochs": 10, "batch": 32, "optimizer": "adam", "lr": 1e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=10")
_LEAST = 8
WITHOUT, OWN, OTHER = "without a map", "with its map", "with the map of another image"
_HELP = {
    "network": "with a map that is 1 everywhere, with that of the image, and with that of another one (the control)",
    "accuracy": "on held-out images, 0..1",
    "gain": "accuracy that it has more than the one without a map, on the same images",
    "low": "lower end of the 95 % interval of the gain (bootstrap over images)",
    "high": "upper end of the 95 % interval of the gain",
    "loss": "mean cross entropy on held-out images, nats",
}


@method(
    "Saliency as an input",
    purpose="train a copy that is shown a saliency map as well",
    shows=(
        "Compare the gain with that of the control: where maps of other images help as much, nothing is owed to where "
        "the maps point. The maps come from the given network and add nothing that it does not know, and a gain does "
        "not show that they are right. On few images the interval is wide, and only one seed is trained. One map of "
        "each image, and three trainings of 10 epochs on three fourths of the images."
    ),
    source="Murabito et al. 2018, section 3 (saliency beside the image); the control with other images' maps is ours",
    over="all",
    quick={"recipe": "epochs=2"},
)
def saliency_input(
    net: Net,
    data: Data,
    *,
    of: ExplainerOption = EXPLAINER,
    way: Annotated[Way, Field(description="place of the map: one more channel, or a factor of the pixels")] = "channel",
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=10,lr=0.001,batch=32,optimizer=adam,seed=0")
    ] = _RECIPE,
) -> Study:
    """Three copies are trained on, and shown a map (H, W) in 0..1 with each image: none, its own, another image's.

    `networks` has one row for each. The maps are those that `of` makes of the given network for its best guess, in
    training as on the images that judge: no map knows the label. What the control gains, that is trained with the maps
    of other images, is not owed to where the maps point. As a "channel" the map is added to every channel with weights
    of its own, which begin as zeros; as a "product" it multiplies the normalized pixels, so that where it is 0 the mean
    color is seen. Three fourths of the images are trained on, the others judge. Norms keep their stored statistics. It
    is trained by Adam, with a learning rate of 0.001 that falls along half a cosine, unless `recipe` says else. The
    given network is not changed. Raises PellucidError for fewer than 8 images, and Refused for a regression.
    """
    how = recipe.recipe(**_DEFAULT)
    images, labels = images_of(net, data)
    if len(images) < _LEAST:
        raise PellucidError(f"{len(images)} images: to train on some and to hold others out takes {_LEAST} at least")
    objective = objective_of(net, images[0].pixels)
    pixels = inputs_of(net, images.pixels)
    pixels = pixels if pixels.dtype == torch.float64 else pixels.float()
    maps = torch.from_numpy(_maps(net, images, of, how.seed))[:, None].to(pixels)
    turn = torch.from_numpy(generator(how.seed, "other image").permutation(len(images)))
    other = torch.empty_like(maps)
    other[turn] = maps[turn.roll(1)]  # nobody keeps its own
    order = torch.from_numpy(generator(how.seed, "held out").permutation(len(images)))
    shown = {WITHOUT: torch.ones_like(maps), OWN: maps, OTHER: other}
    found, rights = {}, []
    for name, beside in shown.items():
        every = Tensors(torch.cat([pixels, beside], 1), labels)
        cut = len(images) * 3 // 4
        one, right = _trained(net, every[order[:cut]], every[order[cut:]], way, how, objective)
        found[name] = one
        rights.append(right)
    table = _table(found, np.stack(rights), how.seed)
    meta = Meta(found={"map": one_of(of).name, "trained on": cut, "judged on": len(images) - cut})
    return Study(_findings(table), {"training": _curve(found)}, tables={"networks": table}, meta=meta)


def _maps(net: Net, images: Images, of: Explainers, seed: int) -> Floats:
    """(N, H, W) in 0..1; 1 where a map is the same everywhere, and says nothing."""
    explainer = one_of(of)
    heats = (explainer.heat(net, images[i], BEST, seed) for i in steps(range(len(images)), explainer.name))
    return np.stack([between_0_and_1(heat) if np.ptp(heat) > 0 else np.ones_like(heat) for heat in heats])


def _trained(
    net: Net, given: Tensors, held: Tensors, way: Way, recipe: Recipe, objective: Objective
) -> tuple[Trained, Floats]:
    """A copy trained on the given images, and (N,) which of the held ones it has right."""
    module = Beside(to_train(net), given.inputs.shape[1] - 1, way).to(given.inputs)
    found = train(module, given, recipe, test=held, objective=objective)
    module.eval()
    with torch.no_grad():
        right = [_right(module, held[i : i + 64], objective) for i in range(0, len(held), 64)]
    return found, np.concatenate(right)


def _right(module: Beside, some: Tensors, objective: Objective) -> Floats:
    hits: Tensor = objective(called(module, some.inputs), some.labels)[1]
    return np.asarray(hits.double().cpu().numpy())


def _table(found: dict[str, Trained], rights: Floats, seed: int) -> Table:
    gains = rights - rights[:1]
    low, high = interval(gains, seed, "gain")
    last = [one.epochs[-1] for one in found.values()]
    columns = {
        "network": tuple(found), "accuracy": tuple(rights.mean(1).tolist()),
        "gain": (None, *gains.mean(1).tolist()[1:]), "low": (None, *low.tolist()[1:]),
        "high": (None, *high.tolist()[1:]), "loss": tuple(float(one.test_loss) for one in last),
    }  # fmt: skip
    return Table(columns, _HELP, plot_columns=("accuracy",))


def _findings(table: Table) -> tuple[str, ...]:
    plain, own, other = table.rows
    said = (f"accuracy on held-out images: {plain['accuracy']:.3f} without a map, {own['accuracy']:.3f} with it, "
            f"{other['accuracy']:.3f} with another image's",)  # fmt: skip
    if float(own["low"] or 0) <= 0:
        return (*said, "the map adds nothing that these images could tell from chance")
    if float(own["gain"] or 0) <= float(other["high"] or 0):
        return (*said, "maps of other images do as well: what is gained is not owed to where they point")
    return (*said, f"the map adds {own['gain']:.3f} ({own['low']:.3f} to {own['high']:.3f})")


def _curve(found: dict[str, Trained]) -> Curve:
    lines = [
        Line(name, np.arange(len(one.epochs), dtype=np.float64), one.series("test_loss"), None, "nats")
        for name, one in found.items()
    ]
    return Curve(tuple(lines), "epoch")
