"""What a training minimizes: the cross entropy of each image, by what the network's outputs mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.data import Data
from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.images.sources import listed
from pellucid.net import Net, apart, outputs, returned
from pellucid.notes import Note, say

Objective = Callable[[Any, Tensor], tuple[Tensor, Tensor]]
"""objective(what the module returned, labels (N,)): (N,) losses in nats, and (N,) whether the first class is right."""


def cross_entropy(output: Any, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of logits (N, classes), in float32 at least: (N,) losses in nats, and (N,) whether the largest is the label's."""
    if not isinstance(output, Tensor) or output.dim() != 2:
        raise PellucidError(
            "a module in training gives logits (N, classes); give a Net, whose output= says where they are"
        )
    wide = output if output.dtype == torch.float64 else output.float()
    if int(labels.max()) >= wide.shape[1]:
        raise PellucidError(f"label {int(labels.max())} of {wide.shape[1]} outputs: the network has too few classes")
    return F.cross_entropy(wide, labels, reduction="none"), wide.argmax(1) == labels


def objective_of(net: Net, example: Tensor) -> Objective:
    """The cross entropy of a network, by what its scores mean, which a pass over an example (1, C, H, W) in 0..1 shows.

    Of labels that stand by themselves it is the sum over the labels of those of yes and no. Refused for a regression.
    """
    net.run(example).scores  # noqa: B018  # refuses what is no row of classes
    meaning = net.meaning
    two = net.labels is not None and len(net.labels) == 2 and net.outputs == 1
    if meaning.scores == "regression":
        raise Refused(f"{net.name} is a regression, and has no classes: a loss needs them; scores='logits' says else")

    def objective(output: Any, labels: Tensor) -> tuple[Tensor, Tensor]:
        found = returned.rows(returned.selected(output, net.output, net.name))
        if found is None:
            raise Refused(f"{net.name} gives no row of classes for each image")
        return outputs.cross_entropy(found, labels, meaning, two)

    return objective


@dataclass(frozen=True, eq=False)
class Tensors:
    """Images as a module takes them, (N, C, H, W), and their classes, (N,) int64."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: Any) -> Tensors:
        """Some of them."""
        return Tensors(self.inputs[chosen], self.labels[chosen])

    def like(self, module: nn.Module) -> Tensors:
        """With inputs of the type and on the device of a module's weights."""
        weight = next((p for p in module.parameters() if p.is_floating_point()), self.inputs)
        return Tensors(self.inputs.to(weight.device, weight.dtype), self.labels.to(weight.device))

    @classmethod
    def of(cls, value: Any) -> Tensors:
        """From (inputs, labels), tensors or arrays. PellucidError where they do not fit."""
        if isinstance(value, Tensors):
            return value
        inputs, labels = (torch.as_tensor(one) for one in value)
        if len(inputs) != len(labels) or labels.dim() != 1 or not len(labels):
            raise PellucidError(
                f"{len(inputs)} images and {len(labels)} labels: one label for each image, one at least"
            )
        return cls(inputs, labels.long())


def images_of(net: Net, data: Labeled) -> tuple[Images, Tensor]:
    """All images of the data as the network sees them, in memory, called as the data calls them, and (N,) their classes
    among the network's.

    What cannot be read is left out and noted. Refused where the data has no classes.
    """
    held: list[Images] = []
    labels: list[int] = []
    missing: dict[str, str] = {}
    data = data.on(net)
    for i in range(len(data)):
        try:
            image, label = data.item(i)
        except BadImage as error:
            missing[data.name(i)] = str(error)
            continue
        if label is None:
            raise PellucidError(f"{data.name(i)!r} has no class: a loss needs one for each image")
        held.append(replace(net.prepare(image), ids=(data.name(i),)))
        labels.append(label)
    if missing:
        say(
            Note(
                "unreadable", f"images left out: {listed(list(missing), len(missing))} ({next(iter(missing.values()))})"
            )
        )
    if not held:
        raise PellucidError(f"no images in {data}" + (": none can be read" if missing else ""))
    together = held[0]
    for one in held[1:]:
        together = together + one
    return together, torch.tensor(labels, dtype=torch.int64, device=net.device)


def tensors_of(net: Net, data: Labeled) -> Tensors:
    """The data as the network's module takes it: prepared, normalized, in its type and on its device."""
    images, labels = images_of(net, data)
    return Tensors(apart.inputs_of(net, images.pixels), labels)


def held_out(net: Net, data: Data, images: int) -> tuple[Tensors, Tensors]:
    """The first images of the data to train on, in float32 at least, and as many others, or a fourth of all where there
    are not enough, to test on. Raises PellucidError for fewer than 8."""
    many = min(images, len(data) * 3 // 4)
    if len(data) < 8:
        raise PellucidError(f"{len(data)} images: to train on some and to hold others out takes 8 at least")
    found = tensors_of(net, data.part(0, many + min(images, len(data) - many)))
    inputs = found.inputs if found.inputs.dtype == torch.float64 else found.inputs.float()
    return Tensors(inputs[:many], found.labels[:many]), Tensors(inputs[many:], found.labels[many:])
