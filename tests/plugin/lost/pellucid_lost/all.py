"""What it would add."""

from pellucid.catalogue import method
from pellucid.draw.drawings import drawing
from pellucid.images.sources import Source, source
from pellucid.result import Result, Table
from pellucid.target import Target, target


@method("Lost", source="Nobody 2026, section 2", chapter="mirrors")
def lost(net) -> Table:
    """One row for each."""


@target("lost(LAYER)", examples=("lost(blocks.4)",), help="nobody knows")
class Lost(Target):
    """Lost."""


@source("lostfiles", written="x.lost", suffixes=(".lost",))
class Files(Source):
    """Lost."""


class Nothing(Result):
    """Lost."""


@drawing(Nothing)
def draw_nothing(result, over=None):
    """Lost."""
