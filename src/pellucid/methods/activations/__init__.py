"""Activations: what the layers do with pictures."""

__all__: list[str] = []
