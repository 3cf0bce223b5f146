"""Right for the right reasons: a copy of a network that is trained not to look where it should not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
from pydantic import Field
from safetensors.torch import save as packed

from pellucid.catalogue import method
from pellucid.data import Data, DataOption
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError
from pellucid.evaluation.parts import RegionsOption
from pellucid.files import write_atomically
from pellucid.learning.objective import Tensors, objective_of, tensors_of
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.learning.recycled import Recycled
from pellucid.learning.train import Trained
from pellucid.methods.training._masked import masked
from pellucid.methods.training._reasons import CONTROL, REPAIRED, compared, table
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Curve, Line, Meta, Study

_DEFAULT = {"epochs": 20, "batch": 32, "optimizer": "adam", "lr": 1e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=20")
_LEAST, _COST = 8, 0.05
_SERIES: tuple[tuple[str, str, Literal["dashed", "line"]], ...] = (
    ("trained on", "train", "dashed"), ("held out", "test", "line"),
)  # fmt: skip


@method(
    "Right for the right reasons",
    purpose="train a copy not to look where it should not",
    shows=(
        "Read the accuracy on the test images, or with the masked part exchanged, beside that of the control, which "
        "was trained without the penalty. A small share of the gradient inside the masks proves nothing, for that is "
        "what was trained: the network may still use the place, and holding down Grad-CAM may repair nothing. Two "
        "trainings of 20 epochs on three fourths of the images; steps with the penalty take longer, because they "
        "differentiate the explanation as well."
    ),
    source="Ross, Hughes & Doshi-Velez 2017, equation 1 and section 4 (decoys); Schramowski et al. 2020 (Grad-CAM)",
    over="all",
    quick={"recipe": "epochs=2"},
)
def right_reasons(
    net: Net,
    data: Data,
    *,
    masks: Annotated[
        RegionsOption,
        Field(
            description="part to avoid: 'bottom right', a box top,left,bottom,right in shares, a mask or a folder",
            examples=["bottom_right"],
        ),
        Shell(value="REGION"),
    ],
    reasons: Annotated[
        str,
        Field(description="explanation held down: gradient, integrated_gradients, grad_cam, LAYER; or exchange"),
        Shell(value="gradient|integrated_gradients|grad_cam|LAYER|exchange"),
    ] = "gradient",
    strength: Annotated[
        float | None,
        Field(ge=0, description="weight of the penalty against the cross entropy"),
        Default("both of one size: log(classes) over the penalty without it"),
    ] = None,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=20,lr=0.001,batch=32,optimizer=adam,seed=0")
    ] = _RECIPE,
    test: Annotated[
        DataOption | None,
        Field(description="images without the masked thing, to test on"),
        Default("the masked part of held-out images is exchanged"),
    ] = None,
    save: Annotated[
        str | None,
        Field(description="file of the trained weights, ending in .safetensors"),
        Default("they are not written"),
        Shell(value="FILE"),
    ] = None,
) -> Study:
    """Two copies are trained on: as before, and with a loss on the explanation inside masks. `networks` has
    one row for each: the given network, the control and the repaired one.

    The loss is cross entropy + strength · the mean over images of Σ (mask · ∂/∂x Σ_k log p_k)², over the normalized
    pixels x; integrated gradients and Grad-CAM (the share of the map inside, squared) stand for the gradient where
    `reasons` says so, Grad-CAM by the last layer with maps or the one that is named. With exchange it is the cross
    entropy of the images with the masked part taken from others of the batch: no explanation is held down, and a thing
    that is seen everywhere says nothing. Three fourths of the images are trained on and the others judge: as they are,
    and with the masked part exchanged between images. The control tells what further training alone does. `grids` are
    (rows, columns) mean squared gradients. Norms keep their stored statistics. Adam and a learning rate of 0.001 that
    falls along half a cosine unless `recipe` says else. With `save` the weights are there for `load(…, weights=FILE)`;
    the given network is not changed. Raises PellucidError where no image has a mask, and Refused for a regression.
    """
    path = None if save is None else _path(save)
    how, every = recipe.recipe(**_DEFAULT), masked(net, data, masks)
    if len(every) < _LEAST // 2:
        raise PellucidError(
            f"{len(every)} images: to train on some and to hold others out takes {_LEAST // 2} at least"
        )
    objective = objective_of(net, net.prepare(data.on(net).image(0)).pixels)
    other = None if test is None else _test(net, test, every.tensors)
    found, many = compared(net, every, other, how, objective, reasons, strength)
    if path is not None:
        _written(found.repaired, path)
    told: dict[str, float | int | str] = {
        "strength": found.strength, "trained on": many, "judged on": len(every) - many, "saved": save or "",
    }  # fmt: skip
    meta = Meta(found=told, notes=_notes(found.control, found.repaired))
    curves = {"training": _curve(found.control, found.repaired)}
    return Study(_findings(found.rows), curves, found.grids, {"networks": table(found.rows)}, meta)


def _written(repaired: Trained, path: Path) -> None:
    module = cast(Recycled, repaired.module).module
    state = {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
    write_atomically(path, lambda file: file.write(packed(state)))


def _path(save: str) -> Path:
    path = Path(save).expanduser()
    if path.suffix != ".safetensors" or not path.parent.is_dir():
        raise PellucidError(f"save={save!r}: a file ending in .safetensors, in a folder that is there")
    return path


def _test(net: Net, test: DataOption, like: Tensors) -> Tensors:
    found = tensors_of(net, test)
    return Tensors(found.inputs.to(like.inputs), found.labels)


def _curve(control: Trained, repaired: Trained) -> Curve:
    epochs = np.arange(len(control.epochs), dtype=np.float64)
    lines = [
        Line(f"{name}, {part}", epochs[: len(one.epochs)], one.series(f"{series}_loss"), None, "nats", style)
        for name, one in (("control", control), ("repaired", repaired))
        for part, series, style in _SERIES
    ]
    return Curve(tuple(lines), "epoch")


def _notes(control: Trained, repaired: Trained) -> tuple[Note, ...]:
    said = [Note("choice", "norms keep their stored statistics in training")]
    ended = ((CONTROL, control.ended), (REPAIRED, repaired.ended))
    return (*said, *(Note("values", f"{name}: {why}") for name, why in ended if why))


def _findings(rows: list[tuple[float | str | None, ...]]) -> tuple[str, ...]:
    given, control, repaired = ([np.nan if one is None else one for one in row] for row in rows)
    said = []
    for k, where in (
        (5, "on the test images"),
        (3, "with the masked part exchanged"),
        (1, "on the images as they are"),
    ):
        if rows[0][k] is not None:
            said.append(f"accuracy {where}: {given[k]:.3f} as given, {control[k]:.3f} after training without the "
                        f"penalty, {repaired[k]:.3f} with it")  # fmt: skip
    said.append(f"share of the squared gradient inside the masks: {given[7]:.3f}, {control[7]:.3f} and "
                f"{repaired[7]:.3f}, of {given[8]:.3f} of the area")  # fmt: skip
    if float(repaired[1]) < float(control[1]) - _COST:
        said.append("the penalty costs accuracy on the images as they are: a lower strength= keeps more of it")
    return tuple(said)
