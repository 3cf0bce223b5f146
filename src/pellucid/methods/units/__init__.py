"""Units over a data set: what excites them, how choosy they are, who is like them. They read an index."""

from pellucid.methods.units.top_images import top_images

__all__ = ["top_images"]
