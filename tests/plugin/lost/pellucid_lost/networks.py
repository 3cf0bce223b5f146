"""What it would add."""

from pellucid.net.sources import source


@source("lostnets", written="lostnets:NAME")
def find(rest, *, pretrained):
    """Lost."""
