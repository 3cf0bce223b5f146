"""Top images: the patches of a data set that excite a unit most."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.patches import exciting, patches
from pellucid.index.unit import Unit
from pellucid.result import Patches


@method(
    "Top images",
    purpose="show the images that excite a unit most",
    shows=(
        "Each patch is what the unit's strongest cell can see in one image, the strongest of the whole data set first. "
        "These are the extreme of its range, not what the unit mostly does: what they have in common may be missing in "
        "most of the images that excite it, so see the spread on the unit page, too. The whole receptive field is "
        "shown, though its middle often counts most. No network is run; nine images are read."
    ),
    source="Zeiler & Fergus 2013, section 4 and figure 2; Zhou et al. 2015, section 3.2",
    over="all",
)
def top_images(
    index: Index,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, description="number of strongest images", examples=[4])] = 9,
) -> Patches:
    """The images that excite a unit most and the receptive field of its strongest cell in each: (N, ) patches.

    Exact over the whole data set, one patch an image, best first; of equal activations the image that comes first
    in the data set. Images in which a rectified unit is at zero are none of its strongest. A field that reaches past
    the edge is shown with its outside marked. Values are activations.
    """
    return patches(index, unit, exciting(index, unit, index.enough(count)))
