"""Influence through all layers, by the eigenvalue-corrected Kronecker factorization of the curvature (EK-FAC)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from pellucid.errors import MissingExtra, Refused
from pellucid.index import Index
from pellucid.learning.initial import copied, put
from pellucid.net import Net, returned
from pellucid.net.apart import inputs_of
from pellucid.net.guard import undisturbed
from pellucid.notes import Note
from pellucid.training_set.cases import Asked
from pellucid.training_set.examples import Examples
from pellucid.training_set.head import Head
from pellucid.training_set.influence import Influence

_BATCH = 32
_EXACT = 4
"""Classes of which every one is gone through for the curvature; of more, one is drawn for each image."""
Weights = dict[str, Tensor]


def by_ek_fac(
    index: Index, examples: Examples, asked: Asked, classes: NDArray[np.int64], damping: float
) -> tuple[Influence, tuple[Note, ...]]:
    """(gᵀH⁻¹g_i/N over all linear layers and convolutions without groups, what it covers), with H their Gauss-Newton
    matrix, block by block in the Kronecker eigenbasis with its eigenvalues corrected, plus λ (George et al. 2018).

    Batch norms and grouped convolutions are held. Three passes over the images with gradients, and one for each image
    asked about. Raises MissingExtra where curvlinops is not installed, Refused where the network gives no logits or
    cannot be differentiated so.
    """
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):  # fused attention is not differentiated forward
        warnings.simplefilter("ignore")  # of torch and of curvlinops about their own insides
        return _by_ek_fac(index, examples, asked, classes, damping)


def _by_ek_fac(
    index: Index, examples: Examples, asked: Asked, classes: NDArray[np.int64], damping: float
) -> tuple[Influence, tuple[Note, ...]]:
    try:
        from curvlinops import EKFACLinearOperator, KFACInverseLinearOperator
    except ImportError as error:
        raise MissingExtra("variant='ek_fac'", "influence") from error
    net = index.net
    if net.meaning.scores != "logits":
        raise Refused(f"variant='ek_fac' asks a network for logits, and {net.name} gives {net.meaning.scores}")
    model = Logits(net, examples).eval()
    names = _weights(model)
    data = _Batches(index, net, examples)
    kind = "type-2" if len(examples.classes) <= _EXACT else "mc"
    parameters = dict(model.named_parameters())
    for name, p in parameters.items():
        p.requires_grad_(name in names)
    with undisturbed(model, frozen=False):  # what is checkpointed runs plainly
        factored = EKFACLinearOperator(
            model, nn.CrossEntropyLoss(), [parameters[one] for one in names], data,
            fisher_type=kind, num_data=len(examples), check_deterministic=False, separate_weight_and_bias=False,
        )  # fmt: skip
        inverse = KFACInverseLinearOperator(factored, damping, use_exact_damping=True)
        solved = []
        for image, label in zip(asked.images, classes.tolist(), strict=True):
            loss = F.cross_entropy(model(inputs_of(net, net.prepare(image).pixels)), _one(label))
            slopes = torch.autograd.grad(loss, [parameters[one] for one in names])
            solved.append(dict(zip(names, (inverse @ list(slopes)), strict=True)))
        scores = _along(model, {k: p.detach() for k, p in parameters.items()}, solved, data) / len(examples)
    share = sum(parameters[one].numel() for one in names) / sum(p.numel() for p in parameters.values())
    drawn = "" if kind == "type-2" else ", labels of the curvature drawn from the answers"
    said = f"EK-FAC covers {share:.0%} of the weights: linear layers and convolutions without groups{drawn}"
    return Influence(scores), (Note("reading", said),)


class Logits(nn.Module):
    """A copy of the network that gives rows of logits, with the last layer of the examples where that was fitted."""

    def __init__(self, net: Net, examples: Examples) -> None:
        super().__init__()
        self.net, self.module = [net], copied(net.module, net.name)
        if examples.fitted:
            name = Head.of(net).name
            old = self.module.get_submodule(name)
            if not isinstance(old, nn.Linear):
                raise Refused(f"{name} of {net.name} is no linear layer, and the images have classes of their own")
            new = nn.Linear(old.in_features, len(examples.classes)).to(old.weight)
            with torch.no_grad():
                new.weight.copy_(torch.from_numpy(examples.weight))
                new.bias.copy_(torch.from_numpy(examples.bias))
            put(self.module, name, new)

    def forward(self, x: Tensor) -> Tensor:
        net = self.net[0]
        found = returned.rows(returned.selected(self.module(x), net.output, net.name))
        if found is None or found.shape[1] < 2:
            raise Refused(f"{net.name} gives no row of logits for two classes or more")
        return found


@dataclass(frozen=True, eq=False)
class _Batches:
    """(inputs, labels) of the examples, read again each time."""

    index: Index
    net: Net
    examples: Examples

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for i in range(0, len(self.examples), _BATCH):
            numbers = self.examples.numbers[i : i + _BATCH].tolist()
            pixels = [self.net.prepare(self.index.read(one)).pixels for one in numbers]
            labels = torch.from_numpy(self.examples.labels[i : i + _BATCH]).to(pixels[0].device)
            yield inputs_of(self.net, torch.cat(pixels)), labels

    def __len__(self) -> int:
        return -(-len(self.examples) // _BATCH)


def _weights(model: nn.Module) -> list[str]:
    """Names of the weights and biases that EK-FAC knows."""
    there, found = dict(model.named_parameters()), list[str]()
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and part.groups == 1):
            found += [f"{name}.{own}" for own, _ in part.named_parameters(recurse=False) if f"{name}.{own}" in there]
    if not found:
        raise Refused("variant='ek_fac' knows linear layers and convolutions without groups, and the network has none")
    return found


def _one(label: int) -> Tensor:
    return torch.tensor([label])


def _along(model: nn.Module, at: Weights, directions: list[Weights], data: _Batches) -> NDArray[np.float64]:
    """(M, N) the derivative of the loss of each example along each of M directions of the weights."""
    found: list[list[np.ndarray]] = [[] for _ in directions]
    for inputs, labels in data:

        def losses(some: Weights, inputs: Tensor = inputs, labels: Tensor = labels) -> Tensor:
            return F.cross_entropy(functional_call(model, at | some, (inputs,)), labels, reduction="none")

        for rows, direction in zip(found, directions, strict=True):
            point = {name: at[name] for name in direction}
            try:
                slopes = jvp(losses, (point,), (direction,))[1]
            except NotImplementedError as error:
                why = str(error).partition(" that ")[0]
                raise Refused(
                    f"variant='ek_fac' differentiates the network forward, and something in it cannot be ({why}): "
                    "variant='trak' goes through all layers, too"
                ) from error
            rows.append(slopes.detach().double().cpu().numpy())
    return np.stack([np.concatenate(rows) for rows in found])
