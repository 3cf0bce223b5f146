"""Training: what goes wrong in it, and what it has left in the network."""

from pellucid.catalogue import methods_of
from pellucid.learning.callbacks import hugging_face_watch, keras_watch, lightning_watch
from pellucid.learning.watch import Watch, watch

_methods = methods_of(__name__, __path__[0])
globals().update(_methods)  # a file of its folder that declares a method needs no line here

__all__ = ["Watch", "hugging_face_watch", "keras_watch", "lightning_watch", "watch", *_methods]
