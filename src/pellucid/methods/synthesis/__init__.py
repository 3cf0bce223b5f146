"""Synthesis: pictures made to excite, to invert, to fool, to imitate; each with what it is worth."""

__all__: list[str] = []
