"""One batch of pictures under way: drawn, touched, shown, and moved uphill."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import BadNetwork, Refused
from pellucid.net import Net, Run
from pellucid.net.rules import Redirected, Rule
from pellucid.render.affine import looked_at
from pellucid.render.frame import Frame
from pellucid.render.objectives import Objective
from pellucid.render.pixels import eight_bits, precision
from pellucid.render.recipes import Recipe
from pellucid.render.regularizers import Penalty, PostStep
from pellucid.render.transforms import drawn
from pellucid.rng import generator


class Batch:
    """One batch of pictures under way."""

    def __init__(
        self, net: Net, objective: Objective, recipe: Recipe, frame: Frame, chance: Sequence[tuple[int | str, ...]],
        begin: Tensor | None,
    ) -> None:  # fmt: skip
        self.net, self.objective, self.recipe, self.frame, self.chance = net, objective, recipe, frame, chance
        channels, kind, mean = net.preprocess.channels or 3, precision(net), net.preprocess.mean
        if begin is None:
            starts = [generator(int(one[0]), *one[1:], "start") for one in chance]
            self.numbers = recipe.image.begin(starts, channels, frame.size, mean).to(kind)
        else:
            self.numbers = recipe.image.numbers(begin.to(kind))
        self.climbing, self.interleaved = recipe.optimizer.begin(), True
        self.mean = torch.tensor(mean, dtype=kind).view(1, -1, 1, 1)
        self.best = torch.full((len(chance),), -torch.inf, dtype=kind)
        self.finest = self.numbers.clone()
        self.credit = torch.zeros(len(chance), *frame.size, dtype=kind)

    def pictures(self) -> Tensor:
        """As they are now, or as they were best, in 0..1."""
        return self.recipe.image.pixels(self.finest if self.recipe.best else self.numbers, self.frame.size).detach()

    def shown(self) -> UInt8[np.ndarray, "h w c"]:
        """The batch side by side, in 8 bits."""
        return np.concatenate([*eight_bits(self.pictures())], axis=1)

    def step(self, step: int) -> None:
        """One step uphill."""
        recipe, image = self.recipe, self.recipe.image
        self.numbers = image.valid(self.numbers)
        leaf = self.numbers.detach().requires_grad_()
        with torch.enable_grad():
            pixels = image.pixels(leaf, self.frame.size)
            scores, gradient = self._views(pixels.detach().requires_grad_(), step)
            self.credit += gradient.abs().sum(1)
            (gradient,) = torch.autograd.grad(pixels, leaf, gradient)
        if not torch.isfinite(gradient).all():
            raise BadNetwork(f"the gradient of {self.net.name} is not finite at step {step + 1}: its weights overflow")
        self._note(scores.to(self.best))
        numbers = self.climbing(self.numbers, gradient)
        for touch in recipe.priors:
            if isinstance(touch, PostStep):
                numbers = touch(numbers - self.mean, gradient, step) + self.mean
        self.numbers = numbers

    def _views(self, pixels: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The objective (N,), the mean over all looks, and its gradient by the pixels; less the penalties."""
        recipe, looks = self.recipe, self.recipe.views_per_step
        chance = [generator(int(one[0]), *one[1:], "step", step) for one in self.chance]
        total, slope = torch.zeros(len(pixels), dtype=pixels.dtype), torch.zeros_like(pixels)
        for _ in range(looks):
            seen = self._seen(pixels, chance)
            scores, pull = self._pull(seen.detach().requires_grad_(), wake=step < recipe.redirect)
            (found,) = torch.autograd.grad(seen, pixels, pull)
            total, slope = total + scores / looks, slope + found / looks
        for penalty in recipe.priors:
            if isinstance(penalty, Penalty):
                cost = penalty(pixels - self.mean)
                (found,) = torch.autograd.grad(cost.sum(), pixels)
                total, slope = total - cost.detach(), slope - found
        return total, slope

    def _pull(self, seen: Tensor, wake: bool) -> tuple[Tensor, Tensor]:
        """The objective (N,), and its gradient by what the network is shown.

        With `wake`, pictures that no gradient reaches get that of redirected rectifiers. Olah et al. ask at each
        rectifier whether it is silent; to ask at the end costs nothing where all is well, and cures the same.
        """
        scores, pull = self._gradient(seen, None)
        if wake:
            silent = ~pull.reshape(len(pull), -1).any(1)
            if silent.any():
                _, waking = self._gradient(seen, Redirected())
                pull = torch.where(silent[:, None, None, None], waking, pull)
        return scores, pull

    def _gradient(self, seen: Tensor, rule: Rule | None) -> tuple[Tensor, Tensor]:
        scores = self.objective(self._run(seen, rule))
        if not scores.requires_grad:
            raise Refused("the objective does not depend on the pixels: there is nothing to climb")
        (pull,) = self.net.gradients(scores.sum(), seen)
        return scores.detach().to(seen), pull

    def _run(self, seen: Tensor, rule: Rule | None) -> Run:
        """The pass over what the network is shown, as far as the objective needs it."""
        stop = not self.objective.reads_output
        ask = partial(self.net.run, layers=self.objective.layers, rule=rule, grad=True, stop=stop)
        if self.interleaved:  # channels last: convolutions are a tenth faster
            try:
                return ask(seen.contiguous(memory_format=torch.channels_last))
            except BadNetwork as error:
                if "view size is not compatible" not in str(error):
                    raise
                self.interleaved = False  # the network's code relies on how numbers lie in memory
        return ask(seen)

    def _seen(self, pixels: Tensor, chance: Sequence[np.random.Generator]) -> Tensor:
        """What the network is shown of the pictures at one look."""
        recipe, frame = self.recipe, self.frame
        touched = drawn(recipe.transforms, chance, min(frame.size))
        matrices = [m @ frame.matrix(one) for m, one in zip(touched, chance, strict=True)]
        wraps = min(max((one.wraps for one in recipe.transforms), default=0), *frame.size)
        if wraps:
            pixels = F.pad(pixels, (wraps,) * 4, mode="circular")
        mode = "bicubic" if recipe.cuts else "bilinear"  # a cut is enlarged, and that should leave no facets
        seen = looked_at(pixels, matrices, frame.canvas, mode=mode)
        for transform in recipe.transforms:
            parts = [transform.added(one, seen.shape[1:]) for one in chance]
            added = [torch.from_numpy(part) for part in parts if part is not None]
            if added:
                seen = seen + torch.stack(added).to(seen)
        return seen

    def _note(self, scores: Tensor) -> None:
        better = scores > self.best
        self.best = torch.where(better, scores, self.best)
        if self.recipe.best:
            self.finest = torch.where(better.view(-1, *[1] * (self.numbers.dim() - 1)), self.numbers, self.finest)
