"""Quality: how far a map can be believed, measured."""

from pellucid.catalogue import methods_of
from pellucid.evaluation.summary import joined
from pellucid.evaluation.trust import annotate, check

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = ["annotate", "check", "joined", *_methods]
