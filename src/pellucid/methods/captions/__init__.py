"""Captions: sentences, answers, and what words were made from."""

from pellucid.catalogue import methods_of

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = list(_methods)
