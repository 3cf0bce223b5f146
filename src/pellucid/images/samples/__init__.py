"""A few free photos that come with Pellucid, so that the first question needs no file, and a painting.

CREDITS.md has their makers.
"""

from __future__ import annotations

from importlib.resources import files

from pellucid.errors import unknown

PAINTINGS = ("starry_night",)
"""What is no photo; `read("sample:NAME")` opens them too."""
_SUFFIX = ".jpg"


def samples() -> tuple[str, ...]:
    """The names of the photos, sorted; `read("sample:NAME")` opens one."""
    found = [entry.name for entry in files(__name__).iterdir()]
    names = (name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))
    return tuple(sorted(name for name in names if name not in PAINTINGS))


def sample(name: str) -> bytes:
    """The JPEG file of a photo or painting, as it is stored."""
    known = (*samples(), *PAINTINGS)
    if name not in known:
        raise unknown("sample", name, known)
    return files(__name__).joinpath(name + _SUFFIX).read_bytes()
