"""Filters: the weights of convolutions, drawn and examined."""

from pellucid.methods.filters.channels import channels
from pellucid.methods.filters.first_layer import first_layer
from pellucid.methods.filters.health import health

__all__ = ["channels", "first_layer", "health"]
