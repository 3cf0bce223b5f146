"""A question as a value, and the question that everyone asks first."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid import catalogue
from pellucid.errors import PellucidError
from pellucid.images import Images, as_float, viewable
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Explanation, Meta, Result, Row, versions
from pellucid.target import Target

DEFAULT_METHODS = ("grad_cam", "occlusion", "guided_backprop")
_QUICK: dict[str, dict[str, Any]] = {
    # explain answers at once; the methods' own defaults are finer
    "occlusion": {"size": 40, "stride": 24},
    "integrated_gradients": {"steps": 24},
}


@dataclass(frozen=True)
class Ask:
    """A method, a target and options: what the command line, the web and workers pass around."""

    method: str
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def key(self, net: Net, images: Images) -> str:
        """SHA-256 of everything that the answer depends on: equal questions have equal keys."""
        entry = catalogue.find(self.method)
        asked = {
            "method": self.method,
            "target": self.target,
            "options": catalogue.validated(inspect.unwrap(entry.function), dict(self.options)),
            "net": net.facts(),
            "pixels": [hashlib.sha256(as_float(p).numpy().tobytes()).hexdigest() for p in net.see(images).pictures],
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()

    def answer(self, net: Net, images: Images) -> Result:
        """Ask the method."""
        entry = catalogue.find(self.method)
        given: dict[str, Any] = {"net": net, "images": images}
        if self.target is not None:
            given["target"] = self.target
        unasked = set(given) - set(entry.arguments)
        if "target" in unasked:
            raise PellucidError(f"{self.method} has no target: it takes {', '.join(entry.arguments)}")
        result: Result = entry.function(**{k: v for k, v in given.items() if k not in unasked}, **self.options)
        return result


def explain(net: Any, images: Any, *, classes: int = 5, methods: Sequence[str] = DEFAULT_METHODS) -> Explanation:
    """Why did the network say that? One image, its `classes` best guesses, and several methods' maps of each.

    `net` and `images` may be what `load` and `read` take; `methods` are names of attribution methods that take
    a target. Occlusion and integrated gradients are asked more coarsely than by default, to answer within
    seconds; Meta of each map says how.
    """
    net, images = Net.of(net), Images.of(images)
    if len(images) != 1:
        raise PellucidError(f"explain takes one image, these are {len(images)}: explain images[i], one by one")
    entries = [catalogue.find(name) for name in methods]
    for entry in entries:
        if "target" not in entry.arguments:
            able = [e.name for e in catalogue.entries() if e.chapter == "attribution" and "target" in e.arguments]
            raise PellucidError(f"explain cannot use {entry.name}: it has no target; these have: {', '.join(able)}")
    net = net.remembering()  # the same covers are asked about for each class
    guesses = net.top(images, classes)
    rows = []
    for entry in entries:
        asked = [Target.of(guess) for guess in guesses]
        maps = [entry.function(net, images, one, **_QUICK.get(entry.name, {})) for one in steps(asked, entry.title)]
        rows.append(Row(entry.name, entry.title, tuple(maps)))
    meta = Meta(
        method="explain",
        options={"classes": classes, "methods": list(methods)},
        images=images.ids,
        versions=versions(),
        **net.facts(),
    )
    return Explanation(viewable(images.originals[0]), net.see(images).views[0], guesses, tuple(rows), meta)
