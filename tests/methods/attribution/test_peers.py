"""The same numbers as captum, where captum is right; and the known places where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import ModuleRelu, PreActivation, seeded, truth

attr = pytest.importorskip("captum.attr")
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore::UserWarning:captum")]

NET = Net(seeded(ModuleRelu), preprocess=Preprocess())
X = torch.rand(2, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
IMAGES = Images.from_pictures(list(X), ["a", "b"])


def same(ours: np.ndarray, theirs: Tensor) -> bool:
    return bool(np.abs(ours - theirs.detach().numpy()).max() < 1e-10 * max(1.0, float(theirs.detach().abs().max())))


def test_gradients() -> None:
    theirs = attr.Saliency(NET.module).attribute(X, target=2, abs=False)
    assert same(pl.attribution.gradient(NET, IMAGES, 2, reduce="signed").array, theirs.sum(1))
    assert same(pl.attribution.gradient(NET, IMAGES, 2).array, theirs.abs().amax(1))
    theirs = attr.InputXGradient(NET.module).attribute(X, target=2)
    assert same(pl.attribution.gradient_times_input(NET, IMAGES, 2).array, theirs.sum(1))


@pytest.mark.parametrize(("ours", "theirs"), [("gauss_legendre", "gausslegendre"), ("midpoint", "riemann_middle")])
def test_integrated_gradients(ours: str, theirs: str) -> None:
    expected = attr.IntegratedGradients(NET.module).attribute(X, target=1, n_steps=20, method=theirs)
    assert same(pl.attribution.integrated_gradients(NET, IMAGES, 1, steps=20, quadrature=ours).array, expected.sum(1))


def test_grad_cam() -> None:
    expected = attr.LayerGradCam(NET.module, NET.module.b).attribute(X, target=1)
    assert same(pl.attribution.grad_cam(NET, IMAGES, 1, layer="b").array, expected[:, 0])


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU:UserWarning")
@pytest.mark.parametrize(("ours", "theirs"), [("guided_backprop", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
def test_rules_on_module_rectifiers(ours: str, theirs: str) -> None:
    expected = getattr(attr, theirs)(NET.module).attribute(X.clone(), target=1)
    assert same(getattr(pl.attribution, ours)(NET, IMAGES, 1).array, expected.sum(1))


def test_occlusion_where_windows_do_not_overlap() -> None:
    expected = attr.Occlusion(NET.module.float()).attribute(
        X.float(), (3, 3, 3), strides=(3, 3, 3), baselines=0.5, target=1
    )
    NET.module.double()
    ours = pl.attribution.occlusion(NET, IMAGES, 1, size=3, stride=3).array
    assert np.abs(ours - expected[:, 0, 1::3, 1::3].numpy()).max() < 1e-6


class ModulePreActivation(PreActivation):
    """The rectifiers as modules, so that captum can see them."""

    def __init__(self) -> None:
        super().__init__()
        self.r1, self.r2, self.r3 = nn.ReLU(), nn.ReLU(), nn.ReLU()

    def body(self, x: Tensor) -> Tensor:
        h = self.a(x)
        h = h + self.b(self.r1(h))
        out: Tensor = self.r3(self.c(self.r2(h)))
        return out


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU:UserWarning")
def test_known_disagreement_on_pre_activation() -> None:
    """Trap T1: captum filters the sum of what all consumers of the rectifier's input send back."""
    module: Any = seeded(ModulePreActivation)
    right = truth(module, X[0].numpy(), "guided", 1).gradient
    ours = pl.attribution.guided_backprop(Net(module, preprocess=Preprocess()), IMAGES[0], 1).array[0]
    theirs = attr.GuidedBackprop(module).attribute(X[:1].clone(), target=1)[0].sum(0).detach().numpy()
    assert np.abs(ours - right.sum(0)).max() < 1e-12
    assert np.abs(theirs - right.sum(0)).max() > 0.01 * np.abs(right).max()


def test_known_disagreement_on_functional_rectifiers() -> None:
    """Trap T2: captum's guided backpropagation of a functional network is the plain gradient, without a word."""
    from tests.networks import Functional

    module: Any = seeded(Functional)
    theirs = attr.GuidedBackprop(module).attribute(X[:1].clone(), target=1)
    plain = truth(module, X[0].numpy(), "gradient", 1).gradient
    ours = pl.attribution.guided_backprop(Net(module, preprocess=Preprocess()), IMAGES[0], 1).array[0]
    assert np.abs(theirs[0].detach().numpy() - plain).max() < 1e-12
    assert np.abs(ours - truth(module, X[0].numpy(), "guided", 1).gradient.sum(0)).max() < 1e-12


def test_known_disagreement_on_relu6() -> None:
    """Trap T2: captum knows no ReLU6; its guided backpropagation of a mobile network is the plain gradient."""

    class Mobile(ModuleRelu):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.act2, self.act3 = nn.ReLU6(), nn.ReLU6(), nn.ReLU6()

    module: Any = seeded(Mobile)
    theirs = attr.GuidedBackprop(module).attribute(X[:1].clone(), target=1)[0].detach().numpy()
    assert np.abs(theirs - truth(module, X[0].numpy(), "gradient", 1).gradient).max() < 1e-12
    ours = pl.attribution.guided_backprop(Net(module, preprocess=Preprocess()), IMAGES[0], 1).array[0]
    guided = truth(module, X[0].numpy(), "guided", 1).gradient  # no value reaches 6 here: ReLU's tape serves
    assert np.abs(ours - guided.sum(0)).max() < 1e-12
    assert np.abs(theirs - guided).max() > 0.01 * np.abs(guided).max()


def test_known_disagreement_on_the_trapezoid() -> None:
    """Trap T9: captum's trapezoid weights sum to (n − 1) / n."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(243, 1, bias=False)).double()
    exact = (linear[1].weight.detach().view(1, 3, 9, 9) * X[:1]).sum()
    theirs = attr.IntegratedGradients(linear).attribute(X[:1], target=0, n_steps=10, method="riemann_trapezoid").sum()
    ours = pl.attribution.integrated_gradients(
        Net(linear, preprocess=Preprocess()), IMAGES[0], 0, steps=10, quadrature="trapezoid"
    ).array.sum()
    assert abs(ours - exact.item()) < 1e-10
    assert theirs.item() / exact.item() == pytest.approx(0.9, abs=1e-6)
