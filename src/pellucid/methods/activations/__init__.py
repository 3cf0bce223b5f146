"""Activations: what the layers of a network do with images."""

from pellucid.methods.activations.maps import maps
from pellucid.methods.activations.profile import profile

__all__ = ["maps", "profile"]
