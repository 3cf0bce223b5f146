"""Filters: the weights of convolutions, looked at and examined."""

__all__: list[str] = []
