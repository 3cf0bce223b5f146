"""The network under study: a module, what it wants to be shown, what its outputs mean, and one way to run it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, SupportsIndex, TypeAlias

import torch
from torch import Tensor, nn

from pellucid.ambient import neutral
from pellucid.errors import PellucidError, UnknownName
from pellucid.images import Images, ImagesLike, read
from pellucid.net import apart, known, layers, meaning, over, predict, remarks, returned, sizes, tap
from pellucid.net.clips import Clip, Clips, Watcher
from pellucid.net.dimensions import taken
from pellucid.net.identity import raw, weights_of
from pellucid.net.labels import Labels
from pellucid.net.layers import Layer, Layers
from pellucid.net.meaning import Meaning
from pellucid.net.memory import RunCache, free, room
from pellucid.net.offload import offloading
from pellucid.net.over import Batch, Over
from pellucid.net.preprocess import Preprocess
from pellucid.net.rules import Rule
from pellucid.net.run import Run
from pellucid.net.weights import original_of, reweighted
from pellucid.notes import Note
from pellucid.nouns import Noun, Takes
from pellucid.result import Prediction, Predictions
from pellucid.result.scores import Scores

__all__ = ["Batch", "Labels", "Layer", "LayerName", "Layers", "Net", "NetLike", "Over", "Preprocess", "Run"]

MEMORY = 512 * 2**20
"""Bytes that the activations of one chunk of images may take."""
CACHE = 16 * 2**20
"""Bytes of the largest activation of one chunk on a CPU: beyond its cache, more images at once cost more each."""
Grad = bool | Literal["pixels"]
"""What a run can be differentiated by: nothing, the activations asked for, or the pixels too."""
_GROWTH = 40  # numbers that a graph keeps for each number of the image: 30 to 130 for the usual networks
_MOST = 64  # images in a chunk: larger ones are no faster


@dataclass(frozen=True, eq=False)
class Net(Noun):
    """A network under study. It has no state of its own; what `run` hangs on the module is gone when it returns.

    `output` selects the tensor to explain where the module returns a tuple, list, dict or object: a key, an
    index or an attribute, dotted for several levels ('logits', '0', 'out.main'). `scores` says what the numbers of
    its classes mean, where nothing in the network does.
    """

    written, flags, format = "SPEC", ("--net",), "net"
    module: nn.Module
    name: str = "network"
    preprocess: Preprocess = field(default_factory=Preprocess)
    labels: Labels | None = None
    output: str | None = None
    scores: Scores | None = None
    _cache: dict[Any, Any] = field(default_factory=dict)
    _run_cache: RunCache | None = None
    said: tuple[str, ...] = ()
    """What loading it had to decide."""
    origin: Mapping[str, Any] | None = None
    """The arguments of `load` that make it again; None where it was made of what is in memory."""

    def __repr__(self) -> str:
        parameters = sum(p.numel() for p in self.module.parameters() if not nn.parameter.is_lazy(p))
        classes = f", {len(self.labels)} classes" if self.labels else ""
        kind = type(original_of(self.module)).__name__
        return f"Net({self.name!r}, {kind} with {parameters:,} parameters{classes})"

    @classmethod
    def of(cls, value: NetLike) -> Net:
        """`value` itself, or whatever `load` makes of it, or of these arguments by name."""
        if isinstance(value, Net):
            return value
        from pellucid.net.load import again, load

        return again(value) if isinstance(value, Mapping) else load(value)

    @neutral()
    def run(
        self,
        images: Images | Tensor,
        *,
        layers: Iterable[str] = (),
        edit: Mapping[str, tap.Edit] | None = None,
        rule: Rule | None = None,
        grad: Grad = False,
        stop: bool = False,
    ) -> Run:
        """One forward pass over images or pixels (N, C, H, W) in 0..1, which are normalized here.

        `layers` names the layers whose outputs are wanted (`relu#2` for the second call of one that is used again),
        `edit` maps layers to functions of their output, `rule` changes the backward pass of operations. With
        `grad` the result can be differentiated: with respect to the activations in `layers`, and to the pixels if
        they require it; with `grad="pixels"` a copy of them does, `Run.pixels`. With `stop` the pass ends at the
        last of `layers`, and the run has no output. Safe in threads; the module is as before when
        this returns or raises.
        """
        pixels = self.prepare(images).pixels if isinstance(images, Images) else images
        layers, memory = tuple(dict.fromkeys(layers)), self._run_cache
        stop = stop and bool(layers)
        if stop:  # a layer that runs again later would not be noticed
            for name in layers:
                self.layer(name, of=pixels)
        if memory is None or edit or pixels.requires_grad:
            return self._run(pixels, layers, edit, rule, grad, stop)
        key = hashlib.blake2b(raw(pixels)).digest(), pixels.shape, pixels.dtype, layers, rule, grad, stop
        answered: Run = memory.recall(
            key,
            lambda: replace(self._run(pixels, layers, edit, rule, grad, stop), kept=True),
            lambda: 4 * len(pixels) * (self.layers(_size(pixels)).floats if grad or layers else 1000),
        )
        return answered

    def over(
        self,
        data: Any,
        *,
        layers: Iterable[str] = (),
        edit: Mapping[str, tap.Edit] | None = None,
        rule: Rule | None = None,
        grad: Grad = False,
        stop: bool = False,
        batch: int | None = None,
    ) -> Over:
        """Runs over many images, batch after batch: `for batch in net.over(data): batch.run, batch.ids, batch.labels`.

        `data` is a `Data`, which has labels, or a `Source`, `Images`, or what becomes one of these; the rest is as for
        `run`. `batch` images go at once, by default as many as memory holds, and fewer where it runs out; the numbers
        do not depend on it, but for rounding. Images that cannot be read are left out: `unreadable` of what is
        returned has their names and the reasons, and a note says so.
        """
        return over.batches(self, data, batch, layers=layers, edit=edit, rule=rule, grad=grad, stop=stop)

    def gradients(self, *tensors: Any, **how: Any) -> tuple[Any, ...]:
        """`torch.autograd.grad(…)`, with the network as in its forward pass: parts of it may run again in this one."""
        return tap.gradients(self.module, *tensors, **how)

    def cached(self) -> Net:
        """The same network, which need not run forward again for pixels that it has been shown.

        For whoever asks several questions about the same images, while nothing trains or changes the network: each
        further question then costs a backward pass alone. What is kept is bounded by the memory budget.
        """
        return replace(self, _run_cache=RunCache(MEMORY))

    def _run(
        self,
        pixels: Tensor,
        layers: tuple[str, ...],
        edit: Mapping[str, tap.Edit] | None,
        rule: Rule | None,
        grad: Grad,
        stop: bool,
    ) -> Run:
        taken(self, pixels)
        pixels = pixels.to(self.device)  # once: what comes back to them is then there as well
        leaf = pixels.detach().clone().requires_grad_() if grad == "pixels" else None
        with torch.set_grad_enabled(bool(grad)):
            inputs = apart.inputs_of(self, pixels if leaf is None else leaf)
        large = bool(grad) and 4 * len(pixels) * pixels[0].numel() * _GROWTH > MEMORY
        ending = None if stop or "ending" in self._cache else meaning.Ending()
        how: dict[str, Any] = {"at": layers, "edit": edit, "rule": rule, "grad": bool(grad), "stop": stop}
        with offloading(MEMORY) if large else nullcontext(), sizes.advising(self):
            answer = apart.forward(
                self, inputs, **how, listener=ending, axes=known.turned(self, (*layers, *(edit or ())), pixels)
            )
        run = Run(self, *answer, leaf, stopped=stop, images=len(pixels))
        if not stop and not {"ending", "looks"} <= self._cache.keys():
            meaning.learn(self._cache, run, ending)
        return run

    @neutral()
    def observe(
        self,
        pixels: Tensor,
        watch: Mapping[str, Callable[[int, Tensor], None]],
        *,
        before: Mapping[str, tuple[int, Callable[[int, Tensor], None]]] | None = None,
        at_once: int = 1,
    ) -> None:
        """Run pixels (N, C, H, W) in 0..1, `at_once` at a time; show each watched layer's outputs and keep none.

        `watch` maps layers to functions of (number of the first image of the pass, output of the layer for it and
        the next ones); they must neither keep nor change the output. Nothing is copied: this is the cheapest way to
        reduce the activations of many layers to a few numbers. `before` does so with what is received by the clip that
        ends a layer: (its number, as `clips` tells it; the function).
        """
        taken(self, pixels)
        inputs, start = apart.inputs_of(self, pixels), 0

        def batches() -> Iterator[Tensor]:
            nonlocal start
            for start in range(0, len(inputs), at_once):
                yield inputs[start : start + at_once]

        axes = known.turned(self, watch, pixels)

        def told(name: str, seen: Callable[[int, Tensor], None]) -> Watcher:
            if name not in axes:
                return lambda output: seen(start, output)
            return lambda output: seen(start, axes[name].maps(output))  # also of what a clip receives

        observe = apart.observe_each if at_once > 1 and apart.alone(self, _size(pixels)) else tap.observe
        receive = {name: (call, told(name, seen)) for name, (call, seen) in (before or {}).items()}
        clips = Clips(receive, self.module) if before else None
        with sizes.advising(self):
            observe(self.module, batches(), {name: told(name, seen) for name, seen in watch.items()}, clips)

    def clips(self, pixels: Tensor, layers: Iterable[str]) -> dict[str, Clip]:
        """Those of the layers that end in an activation with a ceiling, as ReLU6 has one, and which call makes it."""
        taken(self, pixels)
        clips, found = Clips({}), dict[str, Clip]()
        watch = {name: clips.recording(name, found) for name in layers}
        tap.observe(self.module, [apart.inputs_of(self, pixels)], watch, clips)
        return found

    @property
    def device(self) -> torch.device:
        """Where the network is: the device of its first parameter, or buffer; the CPU where it has none."""
        for tensors in (self.module.parameters(), self.module.buffers()):
            for tensor in tensors:
                return tensor.device
        return torch.device("cpu")

    def prepare(self, images: Images) -> Images:
        """The images as the network sees them, on its device: resized and cropped, in 0..1, not yet normalized."""
        return self.preprocess.prepare(images).on(self.device)

    @neutral()
    def layers(self, size: tuple[int, int] | None = None, *, of: Tensor | None = None) -> Layers:
        """The layer table of a pass over a blank image of that size; by default the network's own (`size`).

        With `of`, pixels (N, C, H, W) in 0..1, of a pass over the first of these: not every network runs the same
        layers for every image.
        """
        return known.table(self, size) if of is None else known.table_of(self, of)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its input: what was said, or 224 × 224 if it takes that, or what it was built for.

        The last is found by trying and said in `notes`.
        """
        return sizes.size(self)

    def images(self, value: ImagesLike) -> Images:
        """`value` itself, or what `read` makes of it: with the channels and the values that the network takes."""
        taken = self.preprocess
        return read(value, channels=taken.channels, value_range=taken.reading)

    def layer(self, name: str, size: tuple[int, int] | None = None, *, of: Tensor | None = None) -> Layer:
        """The row of one layer, or UnknownName with the nearest; with `of` as it is for these pixels."""
        return known.row(self, name, size, of)

    def chunk(self, size: tuple[int, int], *, grad: bool, after: str | None = None) -> int:
        """How many images of that size, or rows from the layer `after` on, to run at once: as memory and cache hold."""
        table = self.layers(size)
        widest = max(table.widest if after is None else table.widest_from(after), 1)
        most = room(self.device, MEMORY) // (4 * max(table.floats if grad else 4 * widest, 1))
        most = min(most, CACHE // (4 * widest)) if self.device.type == "cpu" else most
        most = 1 if apart.alone(self, size) else most
        self._cache["chunk"] = max(min(most, _MOST, self._largest[0]), 1)
        return int(self._cache["chunk"])

    @property
    def _largest(self) -> list[int]:
        """Images in the largest chunk that the device is known to hold; shared by all that share the layer tables."""
        found: list[int] = self._cache.setdefault("largest", [_MOST])
        return found

    def halve(self) -> bool:
        """After memory ran out: make chunks half as large from now on; False where they hold one image already."""
        free(self.device)
        before = min(int(self._cache.get("chunk", 1)), self._largest[0])
        self._largest[0] = max(before // 2, 1)
        return before > 1

    @neutral()
    def predict(self, images: ImagesLike, top: int = 5) -> Predictions:
        """The `top` best guesses for every image, best first; of a regression its first outputs.

        A one-logit network gives yes or no. Classes that it masks (−inf) are left out.
        """
        return predict.predicted(self, self.images(images), top)

    def top(self, image: ImagesLike, k: int = 5) -> tuple[Prediction, ...]:
        """The k best guesses for one image; each can be used as a target."""
        if len(image := self.images(image)) != 1:
            raise PellucidError(f"top asks about one image, these are {len(image)}: use predict, or images[i]")
        return self.predict(image, k).ranked[0]

    def class_index(self, asked: str | SupportsIndex) -> int:
        """The class of that name, number or WordNet id. Raises UnknownName with what would work.

        A number may be of any library. Text is a name first, and a number where no class has that name.
        """
        if not isinstance(asked, str):
            return returned.whole_number(asked, "class")
        if self.labels is not None and (self.labels.knows(asked) or not asked.strip().isdecimal()):
            return self.labels.find(asked)
        if not (number := asked.strip().removeprefix("class ")).isdecimal():  # as `class_name` has them
            raise UnknownName(f"no class {asked!r}: {self.name} has no labels, ask for a class by its number")
        return int(number)

    def class_name(self, index: int) -> str:
        """The name of a class, or its number where there are no labels."""
        return self.labels.name(index) if self.labels else f"class {index}"

    @property
    def binary(self) -> bool:
        """Whether two labels share one logit: its sign decides between them."""
        return self.labels is not None and len(self.labels) == 2 and self.outputs == 1

    @property
    def weights(self) -> str:
        """SHA-256 over names, shapes and values of all parameters and buffers; see `pellucid.net.identity`."""
        if self._run_cache is None:
            return weights_of(self.module)
        if self._run_cache.weights is None:  # while answers are remembered nothing trains the network
            self._run_cache.weights = weights_of(self.module)
        return self._run_cache.weights

    @property
    def notes(self) -> tuple[Note, ...]:
        """Warnings that every result about this network carries: what had to be guessed, what makes it unreliable."""
        return remarks.notes(self)

    def remarks(self, options: Mapping[str, Any]) -> tuple[Note, ...]:
        """Warnings for whoever asks a method with these options: a fill that the network has never seen the like of."""
        return Note.many("input", remarks.far(self.preprocess, options))

    @property
    def meaning(self) -> Meaning:
        """What the numbers of its classes are: what was told, else what its first pass has shown."""
        return Meaning.of(self.scores, self._cache.get("ending"), self._cache.get("looks"))

    def spelled(self, value: Any) -> Any:
        """Modules as the names of layers, alone or in a list; anything else as it is."""
        return layers.spelled(self.module, value, self.name)

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"net": self.name, "weights": self.weights, "scores": self.scores or ""}

    @property
    def identity(self) -> str:
        """Weights, preprocessing, and all that decides what its output is and which class a name means."""
        labels = (self.labels.names, self.labels.wnids) if self.labels else None
        return json.dumps([self.facts(), repr(self.preprocess), self.output, labels])

    @property
    def network(self) -> Net:
        """Itself: targets and images are made for it."""
        return self

    def with_module(self, module: nn.Module) -> Net:
        """The same preprocessing and labels around another module."""
        return replace(self, module=module, _cache={}, _run_cache=None, origin=None)

    def with_weights(self, values: Mapping[str, Any]) -> Net:
        """The same network with other values for some of its parameters and buffers, by the names of `state_dict`.

        `values` are tensors or arrays of the same shapes, used as they are at each pass: whoever changes them in place
        changes this network, and a run with `grad=True` can be differentiated by those that require it. The module of
        this network is shared and never changed; `Net.module` of the new one is a view of it with these weights.
        Parametrized weights go by the names of what they are computed from. Raises UnknownName or PellucidError in one
        line for a name or shape that is not there.
        """
        module = reweighted(self.module, values, self.name)
        return replace(self, module=module, _cache=known.architecture(self, module), _run_cache=None, origin=None)

    @property
    def outputs(self) -> int:
        """How many numbers the tensor to explain has for one image."""
        return sizes.outputs(self)


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[-2], pixels.shape[-1]


NetLike: TypeAlias = Net | nn.Module | str | Path
"""A network, or what `load` makes one of: a module, or a name such as `bundled` or `timm:resnet50`."""
LayerName = Annotated[str, Takes(nn.Module)]
"""A layer as an option of a method: its name, or the module that it is."""
