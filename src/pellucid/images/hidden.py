"""Files and folders that editors, systems and archivers leave beside images: never a class, never an image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

_LEFT_BEHIND = {
    "__macosx",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "thumbs.db",
    "desktop.ini",
}
"""macOS in archives, Synology, Windows; what begins with a dot is hidden by itself."""


def hidden(name: str) -> bool:
    """Whether a part of this path, relative to the folder that was asked for, is hidden: `.ipynb_checkpoints/x.png`."""
    return any(part.startswith(".") or part.lower() in _LEFT_BEHIND for part in PurePosixPath(name).parts)


def passed_over(names: Iterable[str]) -> tuple[str, ...]:
    """A note on the images that were left out because they are hidden; none where there were none."""
    found = sorted(names)
    if not found:
        return ()
    what = f"{len(found)} hidden images are" if len(found) > 1 else "a hidden image is"
    return (f"{what} left out: {found[0]}{', …' if len(found) > 1 else ''}",)
