"""LRP and DeepLIFT beside zennit and captum: the same numbers where they are right, and where they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import Functional, ModuleRelu, PostActivation, PreActivation, seeded

pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning:captum"),
    pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zennit"),
]

SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
A = pl.attribution


def pictures(size: int) -> tuple[Images, Tensor]:
    """The pictures, and what the network is shown of them."""
    pixels = torch.rand(2, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    return Images.from_pictures(list(pixels), ["a", "b"]), SHIFTED.normalize(pixels)


def lively(module: nn.Module) -> nn.Module:
    """Statistics, scales and biases that are not the trivial ones."""
    generator = torch.Generator().manual_seed(2)

    def random(like: Tensor) -> Tensor:
        return torch.rand(like.shape, generator=generator, dtype=like.dtype)

    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)) and part.bias is not None:
            part.bias.data = 0.2 * random(part.bias) - 0.1
        if isinstance(part, nn.BatchNorm2d):
            part.weight.data, part.bias.data = 0.5 + random(part.weight), 0.4 * random(part.bias) - 0.2
            part.running_mean.copy_(0.4 * random(part.running_mean) - 0.2)
            part.running_var.copy_(0.5 + random(part.running_var))
    return module.eval()


def plain() -> nn.Module:
    """Convolutions with biases, max and average pools, two fully connected layers."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12 * 3 * 3, 16), nn.ReLU(), nn.Linear(16, 5),
    )  # fmt: skip


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2),
        nn.BatchNorm2d(12), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5),
    )  # fmt: skip


def zoo(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        models = pytest.importorskip("torchvision.models")
        module: nn.Module = models.get_model(name, weights=None, num_classes=10)
        return module

    return make


NETS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "plain": (plain, 30),
    "normed": (normed, 24),
    "vgg11": (zoo("vgg11"), 32),
    "resnet18": (zoo("resnet18"), 48),
}
COMPOSITES = {
    "epsilon_plus": "EpsilonPlus",
    "epsilon_plus_flat": "EpsilonPlusFlat",
    "epsilon_alpha2_beta1": "EpsilonAlpha2Beta1",
    "epsilon_alpha2_beta1_flat": "EpsilonAlpha2Beta1Flat",
    "epsilon_gamma_box": "EpsilonGammaBox",
}


def zennit(module: nn.Module, x: Tensor, unit: int, composite: str, canonize: str | None) -> np.ndarray:
    """zennit's relevance of every pixel."""
    composites, canonizers = pytest.importorskip("zennit.composites"), pytest.importorskip("zennit.canonizers")
    options: dict[str, Any] = {}
    if canonize == "resnet":
        options["canonizers"] = [pytest.importorskip("zennit.torchvision").ResNetCanonizer()]
    elif canonize == "merge":
        options["canonizers"] = [canonizers.SequentialMergeBatchNorm()]
    if composite == "EpsilonGammaBox":
        ends = [SHIFTED.normalize(torch.full((1, 3, 1, 1), value).double()) for value in (0.0, 1.0)]
        options |= {"low": ends[0], "high": ends[1]}
    x = x.clone().requires_grad_()
    with getattr(composites, composite)(**options).context(module) as changed:
        output = changed(x)
        start = torch.zeros_like(output)
        start[:, unit] = output[:, unit].detach()
        (relevance,) = torch.autograd.grad(output, x, start)
    return relevance.sum(1).detach().numpy()


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("name", NETS)
def test_lrp_as_zennit(name: str, composite: str) -> None:
    """Where zennit has a canonizer for the network, both agree: biases, batch norms, skips and all."""
    make, size = NETS[name]
    module = lively(seeded(make))
    images, x = pictures(size)
    theirs = zennit(module, x, 3, COMPOSITES[composite], "resnet" if name == "resnet18" else "merge")
    ours = A.lrp(Net(module, preprocess=SHIFTED), images, 3, composite=composite)
    assert np.abs(ours.array - theirs).max() <= 1e-4 * np.abs(theirs).max()
    assert np.abs(theirs).max() > 0
    assert all("biases" in note for note in ours.meta.said)


class ModulePost(PostActivation):
    """Rectifiers as modules, the sum as an operator: what most residual networks look like."""

    def __init__(self) -> None:
        super().__init__()
        self.act2, self.act3 = nn.ReLU(), nn.ReLU()

    def body(self, x: Tensor) -> Tensor:
        h = self.act(self.a(x))
        out: Tensor = self.act3(self.c(self.act2(self.b(h) + h)))
        return out


class ModulePre(PreActivation):
    def __init__(self) -> None:
        super().__init__()
        self.r1, self.r2, self.r3 = nn.ReLU(), nn.ReLU(), nn.ReLU()

    def body(self, x: Tensor) -> Tensor:
        h = self.a(x)
        h = h + self.b(self.r1(h))
        out: Tensor = self.r3(self.c(self.r2(h)))
        return out


def unbiased(module: nn.Module) -> nn.Module:
    for part in module.modules():
        if isinstance(getattr(part, "bias", None), Tensor):
            part.bias.data.zero_()
    return module


def test_zennit_without_a_canonizer_doubles_relevance_at_an_operator() -> None:
    """Trap T5: a sum that is no module hands all of the relevance to both terms."""
    module = unbiased(seeded(ModulePost))
    images, x = pictures(12)
    theirs = zennit(module, x, 1, "EpsilonPlus", None).sum((1, 2))
    ours = A.lrp(Net(module, preprocess=SHIFTED), images, 1, composite="epsilon_plus")
    assert np.allclose(theirs / ours.meta.score, 2.0, atol=1e-3)
    assert np.allclose(ours.array.sum((1, 2)) / ours.meta.score, 1.0, atol=1e-3)


def captum(name: str) -> Any:
    return getattr(pytest.importorskip("captum.attr"), name)


def convolutions(*norms: nn.Module) -> nn.Module:
    """Nothing that captum's LRP does not know: it takes no nn.Flatten, and no mean that is not a module."""
    return nn.Sequential(nn.Conv2d(3, 6, 3), *norms, nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 8))


STRICT = {"composite": "epsilon", "classifier": "epsilon:1e-9", "features": "epsilon:1e-9"}


def test_lrp_as_captum_on_modules() -> None:
    module = seeded(convolutions)
    images, x = pictures(12)
    theirs = captum("LRP")(module).attribute(x, target=(2, 0, 0)).sum(1).detach().numpy()
    ours = A.lrp(Net(nn.Sequential(module, nn.Flatten()), preprocess=SHIFTED), images, 2, **STRICT).array
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(ours).max()


def test_captum_lrp_spreads_the_relevance_of_a_functional_mean_evenly() -> None:
    """Places that contributed nothing get as much as those that did; the reference of every topology says otherwise."""
    module = seeded(ModuleRelu)
    images, x = pictures(9)
    theirs = captum("LRP")(module).attribute(x, target=2).sum(1).detach().numpy()
    ours = A.lrp(Net(module, preprocess=SHIFTED), images, 2, **STRICT).array
    assert np.abs(ours - theirs).max() > np.abs(ours).max()


def test_captum_lrp_of_a_functional_sum() -> None:
    """Trap T5: its relevance is more than the score; ours is the score."""
    module = unbiased(seeded(ModulePost))
    images, x = pictures(12)
    theirs = captum("LRP")(module).attribute(x, target=1).sum((1, 2, 3)).detach().numpy()
    ours = A.lrp(Net(module, preprocess=SHIFTED), images, 1, composite="epsilon")
    assert (theirs / ours.meta.score > 1.2).all()
    assert np.allclose(ours.array.sum((1, 2)) / ours.meta.score, 1.0, atol=1e-3)


def test_captum_alpha1_beta0_knows_no_negative_inputs() -> None:
    """It clamps the weights alone: negative inputs of the first operation then count as evidence against, not for."""
    module = seeded(lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 10)))
    images, x = pictures(12)
    rules = pytest.importorskip("captum.attr._utils.lrp_rules")
    module[0].rule = module[2].rule = rules.Alpha1_Beta0_Rule()
    theirs = captum("LRP")(module).attribute(x, target=(1, 0, 0)).sum(1).detach().numpy()
    ours = A.lrp(
        Net(nn.Sequential(module, nn.Flatten()), preprocess=SHIFTED), images, 1, composite="epsilon_plus"
    ).array
    assert (x < 0).any()
    assert ours.min() >= 0 or ours.max() <= 0  # every share has the sign of the score
    assert theirs.min() < 0 < theirs.max()


class Mean(nn.AdaptiveAvgPool2d):
    """The mean over places as a module that captum's LRP knows, with nothing to flatten."""

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, :, 0, 0]


def black(size: int) -> tuple[Images, Tensor]:
    """DeepLIFT's reference in captum is zero as the network sees it: no normalization here, so that both mean black."""
    pixels = torch.rand(2, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    return Images.from_pictures(list(pixels), ["a", "b"]), pixels


def completeness(module: nn.Module, x: Tensor, relevance: np.ndarray, unit: int) -> np.ndarray:
    with torch.no_grad():
        change = (module(x) - module(torch.zeros_like(x)))[:, unit].numpy()
    return np.abs(relevance.sum((1, 2)) - change) / np.abs(change)


def both(module: nn.Module, unit: int = 1, size: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(our map, captum's, our relative completeness error, captum's)."""
    images, x = black(size)
    ours = A.deep_lift(Net(module, preprocess=Preprocess()), images, unit).array
    theirs = captum("DeepLift")(module).attribute(x, target=unit).sum(1).detach().numpy()
    return ours, theirs, completeness(module, x, ours, unit), completeness(module, x, theirs, unit)


def pooled(*before: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), *before, nn.MaxPool2d(2), nn.Conv2d(4, 4, 1), nn.Flatten(), nn.Linear(100, 4)
    )


@pytest.mark.parametrize("make", [ModuleRelu, pooled], ids=["module", "pools"])
def test_deep_lift_as_captum_on_modules(make: Callable[[], nn.Module]) -> None:
    ours, theirs, *_ = both(seeded(make))
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


def test_captum_deep_lift_loses_its_rule_for_a_pool_behind_a_rectifier() -> None:
    """Its hook there has no effect: with a reference that is no plain color the map does not sum to the difference."""
    module = seeded(lambda: pooled(nn.ReLU()))
    images, x = black(12)
    references = torch.rand(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    theirs = captum("DeepLift")(module).attribute(x, baselines=references, target=1).sum((1, 2, 3)).detach()
    change = (module(x) - module(references))[:, 1].detach()
    assert ((theirs - change).abs() / change.abs()).max() > 0.1
    for i in range(2):
        other = Images.from_pictures([references[i]], ["other"])
        ours = A.deep_lift(Net(module, preprocess=Preprocess()), images[i], 1, baseline=other)
        assert ours.array.sum() == pytest.approx(float(change[i]), rel=1e-9)


def _with(act: nn.Module, scale: float = 1.0) -> Callable[[], nn.Module]:
    class Scaled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return scale * x

    return lambda: nn.Sequential(
        nn.Conv2d(3, 6, 3), Scaled(), act, nn.Conv2d(6, 6, 3), Scaled(), type(act)(), nn.Flatten(), nn.Linear(384, 4)
    )


@pytest.mark.parametrize(
    "make",
    [Functional, ModulePre, *(_with(act) for act in (nn.GELU(), nn.SiLU(), nn.Mish())), _with(nn.ReLU6(), 15),
     _with(nn.Hardswish(), 4),
     lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.MaxPool2d(3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 4))],
    ids=["functional", "pre-activation", "GELU", "SiLU", "Mish", "ReLU6", "Hardswish", "maxpool, then relu"],
)  # fmt: skip
def test_captum_deep_lift_is_incomplete_without_a_word(make: Callable[[], nn.Module]) -> None:
    """Trap T3: the multipliers of what its hooks do not see are plain gradients; ours sum to the difference."""
    _, _, ours, theirs = both(seeded(make))
    assert ours.max() < 1e-9
    assert theirs.max() > 0.01


def test_captum_deep_lift_refuses_a_rectifier_that_is_used_twice() -> None:
    from tests.networks import Shared

    images, x = black(12)
    module = seeded(Shared)
    with pytest.raises(RuntimeError):
        captum("DeepLift")(module).attribute(x, target=1)
    assert max(A.deep_lift(Net(module, preprocess=Preprocess()), images, 1).meta.completeness) < 1e-9


def test_captum_deep_lift_of_softmax_depends_on_the_batch() -> None:
    """Trap T4."""
    module = seeded(lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), Mean(), nn.Linear(6, 4), nn.Softmax(1)))
    images, x = black(12)
    deep = captum("DeepLift")(module)
    together, alone = deep.attribute(x, target=1)[0], deep.attribute(x[:1], target=1)[0]
    ours = A.deep_lift(Net(module, preprocess=Preprocess()), images, 1)
    ours_alone = A.deep_lift(Net(module, preprocess=Preprocess()), images[0], 1)
    assert (together - alone).abs().max() > 1e-4 * together.abs().max()
    assert np.abs(ours.array[0] - ours_alone.array[0]).max() <= 1e-15
    assert max(ours.meta.completeness) < 1e-9
