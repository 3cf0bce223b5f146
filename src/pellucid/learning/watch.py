"""Watching a training: cheap statistics of every layer at chosen steps, written down as `History` reads them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.learning.journal import Journal
from pellucid.net.training_hooks import leaves, observed, parameters_of

LAYERS = "watch.json"
"""Of which kind each layer is, and which have a weight of two dimensions or more."""
_SILENT = {"Identity", "Flatten", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "InputLayer"}


class Watch:
    """Statistics of a module while somebody trains it. Made by `watch`; `log` adds numbers of one's own to a step."""

    def __init__(self, module: nn.Module, every: int, folder: str | Path, done: int = 0, passes: int = 1) -> None:
        if every < 1 or done < 0 or passes < 0:
            raise PellucidError(
                f"every={every}, done={done}, passes={passes}: each step at most, and no fewer than 0 steps done"
            )
        self.passes = passes
        self.module, self.every, self.folder, self.steps = module, every, Path(folder), done
        self.findings: list[str] = []
        """What was not finite: where, in which step, for which images of the batch."""
        parts = {name: part for name, part in leaves(module).items() if type(part).__name__ not in _SILENT}
        self.parts = parts or {"": module}
        self.begin: Callable[[int], None] = lambda images: None
        """begin(images): a step begins. For whoever counts steps by hand (passes=0)."""
        self._row: dict[str, float] | None = None
        self._pulls: dict[tuple[str, int], float] = {}
        self._start: dict[str, list[Tensor]] = {}
        self._before: dict[str, list[Tensor]] = {}
        self._broken = False
        self._stack = ExitStack()

    def __enter__(self) -> Watch:
        self._journal = Journal(self.folder)
        kinds = {
            name: {"kind": type(part).__name__, "weights": any(p.dim() > 1 for p in parameters_of(part))}
            for name, part in self.parts.items()
        }
        text = json.dumps({"every": self.every, "layers": kinds}, indent=1)
        write_atomically(self.folder / LAYERS, lambda file: file.write(text.encode()))
        self._start = self._weights()
        self.begin = self._stack.enter_context(observed(self.module, self.parts, self, self.passes))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        self._finish()
        self._start.clear()
        self._journal.pack()

    def evaluated(self, **scalars: Any) -> None:
        """Numbers of an evaluation, such as test_loss and test_accuracy; kept in every step."""
        if self._row is None and scalars:
            self._journal.add({"step": self.steps, **_named(scalars)})
        self.log(**scalars)

    def log(self, **scalars: Any) -> None:
        """Numbers of the step that runs, such as loss and lr; kept where this step is watched."""
        if self._row is not None:
            self._row |= _named(scalars)
            for name, value in scalars.items():
                if not math.isfinite(float(value)):
                    self._say(f"{name} is {float(value)} in step {self.steps}")

    # what `observed` tells

    def begins(self, images: int) -> bool:
        """The step before is over."""
        self._finish()
        self.steps += 1
        if (self.steps - 1) % self.every:
            return False
        self._row, self._broken = {"step": self.steps, "images": images}, False
        self._pulls.clear()
        self._before = self._weights()
        return True

    def gave(self, layer: str, output: Tensor) -> None:
        """Mean, standard deviation, shares of zeros, of dead units and of what is not finite."""
        if self._row is None:
            return
        self._row["images"] = self._row["images"] or len(output)
        values = output.float()
        variance, mean = torch.var_mean(values, correction=0)
        found = {"mean": float(mean), "std": float(variance.clamp(min=0).sqrt())}
        zero = values == 0
        found["zeros"] = float(zero.sum()) / values.numel()
        if values.dim() in (2, 4):
            found["dead"] = float(zero.transpose(0, 1).flatten(1).all(1).float().mean())
        if not math.isfinite(found["std"]):
            finite = torch.isfinite(values)
            found["not finite"] = 1 - float(finite.sum()) / values.numel()
            if not self._broken and found["not finite"]:
                which = (~finite).flatten(1).any(1).nonzero().flatten().tolist() if values.dim() > 1 else []
                said = f", for {len(which)} of {len(values)} images, the first at places {which[:5]}" if which else ""
                self._say(f"the output of {layer} is not finite in step {self.steps}{said}")
                self._broken = True
        self._put(layer, **found)

    def slope(self, layer: str, gradient: Tensor) -> None:
        """RMS of ∂L/∂h, of the loss as it is trained."""
        self._put(layer, gradient=float(gradient.float().square().mean().sqrt()))

    def weight(self, layer: str, number: int, gradient: Tensor) -> None:
        """Norm of the gradient by a parameter of the layer."""
        if self._row is not None:
            norm = self._pulls[layer, number] = float(gradient.float().norm())
            if not math.isfinite(norm) and not self._broken:
                self._say(f"the gradient by the weights of {layer} is not finite in step {self.steps}")
                self._broken = True

    def _put(self, layer: str, **found: float) -> None:
        """Of a layer that runs several times in a pass, the first call."""
        if self._row is not None:
            for name, value in found.items():
                self._row.setdefault(f"{layer}/{name}", value)

    def _say(self, text: str) -> None:
        self.findings.append(text)

    def _weights(self) -> dict[str, list[Tensor]]:
        return {
            name: [p.detach().clone() for p in held]
            for name, part in self.parts.items()
            if (held := parameters_of(part))
        }

    def _finish(self) -> None:
        """Norms, updates and the distance from the start; the row is written."""
        if self._row is None:
            return
        for name, before in self._before.items():
            now = [p.detach() for p in parameters_of(self.parts[name])]
            pulls = [norm for (layer, _), norm in self._pulls.items() if layer == name]
            size = _norm(now)
            moved = _norm([a - b for a, b in zip(now, before, strict=True)])
            away = _norm([a - b for a, b in zip(now, self._start[name], strict=True)])
            self._put(name, **({"weight gradient": math.hypot(*pulls)} if pulls else {}))
            self._put(name, weight=size, update=moved / size if size else math.nan, distance=away)
        self._journal.add(self._row)
        self._row = None
        self._before.clear()


def _norm(values: list[Tensor]) -> float:
    return math.hypot(*(float(value.float().norm()) for value in values))


def _named(scalars: Mapping[str, Any]) -> dict[str, float]:
    """As they are written: train_loss is "train loss"."""
    return {name.replace("_", " "): float(value) for name, value in scalars.items()}


def watch(module: nn.Module, *, every: int = 50, folder: str | Path, done: int = 0, passes: int = 1) -> Watch:
    """Watch a training: `with watch(module, every=50, folder="run/") as seen: …`, around any loop.

    In every 50th step in training mode, the first included, one row is added to the folder, as `History` and `curves`
    read it: of each module without parts its mean and std, shares of zeros and of dead units, the RMS of ∂L/∂h
    ("gradient"), norms of weights and of their gradients, the relative update ‖ΔW‖/‖W‖ of the step and the distance
    ‖W − W₀‖ from the start, as "layer/std" and so on. `seen.log(loss=…, lr=…)` adds numbers of one's own to a watched
    step, `seen.evaluated(test_loss=…)` to any. Rows are forced to disk in watch.jsonl one by one, and packed into
    Parquet at the end and every 500 rows (extra `query`; without it they stay where they are). What is not finite is
    written as it is, and `seen.findings` say where it began, in which step and for which images of the batch.
    Functions that are no modules, such as F.relu, are not seen. `done` is how many steps were trained before; `passes`
    is the number of passes in one step, where gradients are accumulated. Gradients are those of the loss that is
    trained, as a GradScaler has scaled it.

    Nothing is changed: training with and without it gives the same bits. Raises PellucidError for no step at all.
    """
    return Watch(module, every, folder, done, passes)
