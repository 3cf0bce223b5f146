"""Audit: everything that is wrong with a set of images, on one page, for whoever owns it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.evaluation.truth import PairsOption, TruthMaybe
from pellucid.index import Index
from pellucid.result import Audit
from pellucid.result.audit import KINDS, Kind
from pellucid.rng import Seed
from pellucid.training_set.audited import Audited
from pellucid.training_set.held_against import TestOption
from pellucid.training_set.verdict import verdict_of


@method(
    "Audit of a data set",
    purpose="find wrong labels, copies, leaks and outliers of a set",
    shows=(
        "Begin with leaks and wrong labels, which cost most. What counts as found is stated with each kind; else the "
        "most striking images are listed, and of a good set these are hard and not wrong. Saved as .html it is one "
        "page with all pictures, on which each image is kept, relabeled or removed; its buttons write decisions.csv "
        "and the findings. What the network does not tell apart is not found. Fits of the last layer and comparisons "
        "of all pairs, and no training of the network."
    ),
    source="Northcutt et al. 2021; Lee et al. 2018, section 2.1; Lucas & Kanade 1981; Xiao et al. 2021",
    over="all",
    quick={"count": 5},
)
def audit(
    index: Index,
    *,
    test: TestOption = None,
    truth: TruthMaybe = None,
    classes: PairsOption = None,
    kinds: Annotated[
        tuple[Kind, ...],
        Field(min_length=1, description=f"kinds that are looked for: {', '.join(KINDS)}", examples=["leaks"]),
        Default("all"),
    ] = KINDS,
    count: Annotated[int, Field(ge=1, le=500, description="number of findings of each kind that are listed")] = 30,
    seed: Seed = 0,
) -> Audit:
    """What is wrong with the images of an index: (K,) findings in `items`, up to `count` of each of eight `kinds`.

    Mislabeled: the scores of `mislabeled`, combined. Outliers: 20th nearest by cosine, and −log density of one Gaussian
    for each class with one covariance. Duplicates: the same file or pixels, or alike after the best alignment, mirrored
    and cropped too; leaks: the same across folders train, val, test, or between the index and a `test` set. Quality:
    dark, bright, uniform, blurred, odd sizes. Similar classes: confusions, soft labels at temperature 4, class means.
    Context: with `truth`, masks or boxes of the objects. Subgroups: small clusters of a class apart from the rest, with
    the accuracy in them. Memory holds a row of features and 3 kB of picture for each image; all pairs are compared a
    part at a time. Raises PellucidError for a kind that cannot be looked for where it is named alone.
    """
    return verdict_of(Audited.of(index, test, seed), kinds, count, truth, classes)
