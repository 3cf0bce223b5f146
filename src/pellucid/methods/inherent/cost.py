"""Cost: what interpretability costs in accuracy, form by form, against a plain twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.described import Default, Shell
from pellucid.interpretable.annotated import ConceptsOption
from pellucid.interpretable.cells import Judged, cells
from pellucid.interpretable.compared import PLAIN, courses, said, table
from pellucid.interpretable.forms import FORMS, bottleneck, numbers
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import LayerName, Net
from pellucid.progress import steps
from pellucid.result import Meta, Study
from pellucid.result.table import Cell
from pellucid.rng import Seed

_DEFAULT = {"epochs": 40, "batch": 32, "optimizer": "adam", "lr": 3e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=40")
_ABOUT = {
    "known": "what is known of an answer by how the network is built",
    "mean": "mean accuracy over the seeds",
    "spread": "standard deviation of the accuracy over the seeds; none of one",
    "weights": "how many numbers were trained",
}


@method(
    "Cost of interpretability",
    purpose="what each interpretable form costs against a plain twin",
    shows=(
        "Each form stands at the same layer, is trained by the same recipe on the same images and judged on the same "
        "others. Read a cost beside its error and the spread over seeds: within two of these it is none that can be "
        "seen. The plain twin is one of as many hidden units, so a negative cost only says that the constraint served "
        "as regularization. Features are the given network's. One pass over the images, and a short training for each "
        "form and seed."
    ),
    source="Rudin 2019, section 2 (the supposed trade-off); Chen et al. 2019, table 1; Koh et al. 2020, table 1",
    over="all",
    quick={"recipe": "epochs=3"},
)
def cost(
    net: Net,
    data: NewTask,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer that all forms stand on, or pixels"),
        Default("the last layer with maps"),
    ] = None,
    concepts: Annotated[
        ConceptsOption | None,
        Field(description="table of concepts for a bottleneck: a CSV file, or {class or image: {concept: value}}"),
        Default("there is no bottleneck"),
        Shell(value="FILE"),
    ] = None,
    repeats: Annotated[int, Field(ge=1, le=100, description="number of seeds of each form")] = 2,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=40,lr=0.003,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Accuracies of interpretable heads and of a plain one, on what a layer gives: `networks` has one row for each.

    Forms are those of `constraints` (non-negative weights, rising scores, L1, winners), of `modular` (sums over places
    and over groups of units), of `prototype_network` after its push, and with `concepts` a sequential bottleneck.
    Accuracy and cost are those of the first seed, with the error that the held-out images leave; `mean` and `spread`
    are over all seeds. Three fourths of the images are trained on. Nothing of the network is changed.
    """
    some = cells(net, data, layer, seed)
    forms = dict(FORMS)
    if concepts is not None:
        names = [data.name(int(i)) for i in some.numbers]
        values = concepts.of_images(names, [some.classes[int(k)] for k in some.labels])
        sizes = tuple(len(one) for one in concepts.values())
        forms["concept bottleneck"] = bottleneck(values, sizes), "which concepts a class was told by"
    found: dict[str, list[Judged]] = {name: [] for name in forms}
    for name, i in steps([(name, i) for name in forms for i in range(repeats)], "trainings"):
        found[name].append(forms[name][0](some, recipe.recipe(**_DEFAULT, seed=seed + i)))
    first = {name: each[0] for name, each in found.items()}
    shares = {name: [one.accuracy[0] for one in each] for name, each in found.items()}
    more: dict[str, list[Cell]] = {
        "known": [known for _, known in forms.values()],
        "mean": [float(np.mean(one)) for one in shares.values()],
        "spread": [float(np.std(one, ddof=1)) if repeats > 1 else None for one in shares.values()],
        "weights": [numbers(one.module) for one in first.values()],
    }
    meta = Meta(found={"layer": some.layer, "trained on": len(some.train), "judged on": len(some.test)})
    return Study(
        _findings(first, shares), {"training": courses(first)}, {}, {"networks": table(first, more, _ABOUT)}, meta
    )  # fmt: skip


def _findings(first: Mapping[str, Judged], shares: Mapping[str, list[float]]) -> tuple[str, ...]:
    means = {name: float(np.mean(one)) for name, one in shares.items()}
    others = sorted((name for name in means if name != PLAIN), key=lambda name: -means[name])
    free = []
    for name in others:
        less, error = first[name].cost(first[PLAIN])
        if less <= 2 * error:
            free.append(name)
    return (
        f"the plain twin has an accuracy of {means[PLAIN]:.3f}; the best interpretable form is {others[0]} with "
        f"{means[others[0]]:.3f}, the most costly {others[-1]} with {means[others[-1]]:.3f}",
        f"no cost that these images could show: {', '.join(free)}" if free else "every form has a cost",
        *(said(first, name) for name in others if name not in free),
    )
