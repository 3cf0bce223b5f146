"""What an answer is: a function that gives parts, each JSON and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pellucid.web.session import Session

Part: TypeAlias = tuple[dict[str, Any], bytes]
Parts: TypeAlias = Iterator[Part]
Answer: TypeAlias = Callable[[Session, dict[str, Any], bytes], Parts]
"""Of the session, of what was asked, and of the bytes that came with it."""
