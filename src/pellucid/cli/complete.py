"""Names for the shell to complete, without torch: of samples, networks, layers and classes.

Layers and classes are known of every network that a command has loaded before, names of networks of every package that
one came from.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from pellucid import settings
from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.plugins import NETWORKS

if TYPE_CHECKING:
    from pellucid.net import Net

_SAMPLES = Path(__file__).parents[1] / "images" / "samples"


def samples(incomplete: str) -> list[CompletionItem]:
    """`sample:panda` and the others."""
    return beginning((f"sample:{file.stem}" for file in sorted(_SAMPLES.glob("*.jpg"))), incomplete)


def files(incomplete: str) -> list[CompletionItem]:
    """Files, which the shell itself finds."""
    return [CompletionItem(incomplete, type="file")]


def networks(incomplete: str) -> list[CompletionItem]:
    """Sources, the names of those that are known, and files of Python."""
    sources = [row.name if row.said["written"] == row.name else f"{row.name}:" for row in NETWORKS.rows()
               if row.name != "function"]  # fmt: skip
    known = _kept("networks").get("names", ())
    return beginning((*sources, *known, *(f"{file}:" for file in sorted(Path().glob("*.py")))), incomplete)


def layers(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Layers of the network that the words name; of several with commas between the last one."""
    done, comma, begun = incomplete.rpartition(",")
    return [CompletionItem(f"{done}{comma}{one.value}") for one in beginning(_of(words).get("layers", ()), begun)]


def classes(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Classes of that network."""
    return beginning(_of(words).get("classes", ()), incomplete)


def beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Those that begin so, in any case."""
    return [CompletionItem(name) for name in names if name.casefold().startswith(incomplete.casefold())]


def remember(spec: str, net: Net) -> None:
    """Keep the layers and classes of a network that was loaded, and the names of the others of its package."""
    layers = [name for name, _ in net.module.named_modules() if name]
    named = [names[0] for names in net.labels.names] if net.labels is not None else []
    _keep(spec, {"layers": layers, "classes": named})
    source = spec.partition(":")[0]
    known = _kept("networks").get("names", [])
    if any(one.startswith(f"{source}:") for one in known):
        return
    names: Sequence[str] = ()
    if source == "torchvision":
        from torchvision.models import list_models

        names = list_models()
    elif source == "timm":
        from timm import list_models as listed

        names = listed()
    if names:
        _keep("networks", {"names": [*known, *(f"{source}:{name}" for name in names)]})


def _of(words: Sequence[str]) -> Mapping[str, Any]:
    """What is kept of the network that the words name, or pellucid.toml, or nobody."""
    spec = os.environ.get("PELLUCID_NET") or ""
    with suppress(PellucidError):
        found = settings.here()
        spec = spec or (found.network if found else None) or "bundled"
    for before, word in zip(("", *words), words, strict=False):
        if before == "--net":
            spec = word
        elif word.startswith("--net="):
            spec = word.partition("=")[2]
    return _kept(spec)


def _file(what: str) -> Path:
    import platformdirs

    place, colon, function = what.rpartition(":")
    whole = f"{os.path.abspath(place)}:{function}" if colon and place.endswith(".py") else what
    name = hashlib.sha256(os.fsencode(whole)).hexdigest()[:24]
    return Path(platformdirs.user_cache_dir("pellucid")) / "completion" / f"{name}.json"


def _kept(what: str) -> dict[str, Any]:
    try:
        found = json.loads(_file(what).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(what: str, said: Mapping[str, Any]) -> None:
    """Written only where it is news; where nothing can be written, nothing is completed."""
    if _kept(what) == said:
        return
    with suppress(OSError, PellucidError):
        file = _file(what)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, lambda out: out.write(json.dumps(said).encode()))
