"""Activations: what the layers do with pictures."""

from pellucid.methods.activations.maps import maps
from pellucid.methods.activations.profile import profile

__all__ = ["maps", "profile"]
