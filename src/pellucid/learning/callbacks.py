"""Watching a training that another library runs: callbacks for PyTorch Lightning, Hugging Face's Trainer and Keras.

None of them is needed: a callback is made of a class of the library, which is imported then. All are `Watch` within,
told when a step begins, so that what a step is (accumulated gradients, a closure, a pass of a part) is the library's.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pellucid.errors import MissingExtra, PellucidError
from pellucid.learning.watch import Watch


class Session:
    """A `Watch` with the life of a training that begins and ends by calls. What a callback of a library speaks to."""

    def __init__(self, every: int, folder: str | Path) -> None:
        if every < 1:
            raise PellucidError(f"every={every}: each step at most")
        self.every, self.folder = every, folder
        self.seen: Watch | None = None

    def start(self, module: nn.Module, done: int, here: bool = True) -> None:
        """Begin, after so many steps; not `here` in the processes of a cluster that write nothing."""
        self.stop()
        if here:
            self.seen = Watch(module, self.every, self.folder, done, passes=0)
            self.seen.__enter__()

    def begin(self, step: int) -> None:
        """Step number `step` begins, unless it has."""
        if self.seen is not None and self.seen.steps < step:
            self.seen.begin(0)

    def log(self, **scalars: Any) -> None:
        """Numbers of the step that runs."""
        if self.seen is not None:
            self.seen.log(**_numbers(scalars))

    def evaluated(self, scalars: Mapping[str, Any]) -> None:
        """Numbers of an evaluation."""
        if self.seen is not None:
            self.seen.evaluated(**_numbers(scalars))

    def stop(self) -> None:
        """End, whether training has failed or not; nothing is left on the module."""
        if self.seen is not None:
            self.seen.__exit__(None, None, None)
            self.seen = None


def lightning_watch(*, every: int = 50, folder: str | Path) -> Any:
    """`watch` as a callback of PyTorch Lightning: Trainer(callbacks=[lightning_watch(folder="run/")]).

    A step is one of the optimizer; loss and learning rate of each watched step are written down, and all metrics that
    the module has logged, after each epoch and validation. Raises MissingExtra without `lightning`.
    """
    names = ("lightning.pytorch", "pytorch_lightning")
    base = _base(sorted(names, key=lambda name: name not in sys.modules), "Callback", "lightning", "lightning")
    session = Session(every, folder)

    def metrics(trainer: Any) -> None:
        if not trainer.sanity_checking:
            session.evaluated(trainer.callback_metrics)

    def ended(_self: Any, trainer: Any, _module: Any, outputs: Any, *_: Any) -> None:
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        rates = {"lr": trainer.optimizers[0].param_groups[0]["lr"]} if trainer.optimizers else {}
        session.log(**rates, **({"train_loss": loss} if isinstance(loss, Tensor) else {}))

    return _made(
        base,
        session,
        on_train_start=lambda _, trainer, module: session.start(module, trainer.global_step, trainer.is_global_zero),
        on_train_batch_start=lambda _, trainer, *_rest: session.begin(trainer.global_step + 1),
        on_train_batch_end=ended,
        on_validation_end=lambda _, trainer, _module: metrics(trainer),
        on_train_epoch_end=lambda _, trainer, _module: metrics(trainer),
        on_train_end=lambda *_, **_rest: session.stop(),
        on_exception=lambda *_: session.stop(),
    )


def hugging_face_watch(*, every: int = 50, folder: str | Path) -> Any:
    """`watch` as a callback of Hugging Face's Trainer: Trainer(…, callbacks=[hugging_face_watch(folder="run/")]).

    A step is one of the optimizer; whatever the trainer logs (loss, learning rate, evaluations) is written down. Raises
    MissingExtra without `transformers`.
    """
    base = _base(["transformers"], "TrainerCallback", "Hugging Face's Trainer", "transformers")
    session = Session(every, folder)

    def logged(_self: Any, _args: Any, _state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "train_runtime" not in logs:  # the summary at the end
            session.evaluated(logs)

    return _made(
        base,
        session,
        on_train_begin=lambda _, _args, state, _control, model=None, **_rest: session.start(
            model, state.global_step, state.is_world_process_zero
        ),
        on_step_begin=lambda _, _args, state, *_rest, **_more: session.begin(state.global_step + 1),
        on_log=logged,
        on_train_end=lambda *_, **_rest: session.stop(),
    )


def keras_watch(*, every: int = 50, folder: str | Path, done: int = 0) -> Any:
    """`watch` as a callback of Keras with torch below it: model.fit(…, callbacks=[keras_watch(folder="run/")]).

    Of each watched step the logs of Keras are written down, whose loss is a mean over the epoch so far, and of each
    epoch the metrics of its validation. `done` is how many steps were trained before. Raises MissingExtra without
    `keras`, PellucidError where it runs on something else than torch.
    """
    base = _base(["keras.callbacks"], "Callback", "Keras", "keras")
    backend = importlib.import_module("keras").backend.backend()
    if backend != "torch":
        raise PellucidError(f"Keras runs on {backend!r}, and is watched on torch: KERAS_BACKEND=torch")
    session, start = Session(every, folder), done

    def began(_self: Any, *_: Any, **_more: Any) -> None:
        if session.seen is not None:
            session.begin(session.seen.steps + 1)

    def epoch(_self: Any, _epoch: Any, logs: Any = None) -> None:
        session.evaluated({name: value for name, value in (logs or {}).items() if name.startswith("val_")})

    return _made(
        base,
        session,
        on_train_begin=lambda callback, *_, **_rest: session.start(callback.model, start),
        on_train_batch_begin=began,
        on_train_batch_end=lambda _, _batch, logs=None: session.log(**(logs or {})),
        on_epoch_end=epoch,
        on_train_end=lambda *_, **_rest: session.stop(),
    )


def _base(places: list[str], name: str, what: str, package: str) -> type:
    for place in places:
        try:
            found: type = getattr(importlib.import_module(place), name)
        except ImportError:
            continue
        return found
    raise MissingExtra(f"watching {what}", "", package=package)


def _made(base: type, session: Session, **calls: Callable[..., Any]) -> Any:
    """An object of a class of the library, which does these things besides; `close` ends it by hand."""
    return type("Watching", (base,), {**calls, "session": session, "close": lambda _: session.stop()})()


def _numbers(scalars: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for name, value in scalars.items():
        if isinstance(value, (int, float)) or (hasattr(value, "item") and getattr(value, "size", 0) == 1):
            found[name] = float(value)
        elif isinstance(value, Tensor) and value.numel() == 1:
            found[name] = float(value.detach())
    return found
