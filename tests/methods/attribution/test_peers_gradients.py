"""The gradient family beside captum and PAIR's saliency, where they are right; and where they are known not to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.networks import ModuleRelu, seeded

attr = pytest.importorskip("captum.attr")
pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning:captum")]

NET = Net(seeded(ModuleRelu), preprocess=Preprocess())
X = torch.rand(2, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
STARTS = torch.rand(3, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
IMAGES = Images.from_pictures(list(X), ["a", "b"])
BASELINES = Images.from_pictures(list(STARTS), ["p", "q", "r"])


def same(ours: np.ndarray, theirs: Tensor) -> bool:
    return bool(np.abs(ours - theirs.detach().numpy()).max() < 1e-10 * max(1.0, float(theirs.detach().abs().max())))


def test_integrated_gradients_from_pictures_of_ones_own() -> None:
    theirs = [attr.IntegratedGradients(NET.module).attribute(X, s[None], target=1, n_steps=40) for s in STARTS]
    ours = pl.attribution.integrated_gradients(
        NET, IMAGES, 1, baseline=BASELINES, steps=40, quadrature="gauss_legendre"
    ).array
    assert same(ours, torch.stack(theirs).mean(0).sum(1))


def test_adaptive_integrated_gradients_are_what_many_steps_give() -> None:
    """And they know how far they are from it."""
    theirs = attr.IntegratedGradients(NET.module).attribute(X, target=1, n_steps=4000, method="riemann_middle").sum(1)
    ours = pl.attribution.integrated_gradients(NET, IMAGES, 1, tolerance=1e-3, steps=4096)
    assert np.abs(ours.array - theirs.detach().numpy()).sum() < 0.005 * float(theirs.abs().sum())
    assert max(ours.meta.completeness) <= 1e-3  # type: ignore[type-var]


@pytest.mark.parametrize("kind", ["mean", "square"])
def test_smooth_grad_without_noise(kind: str) -> None:
    tunnel = attr.NoiseTunnel(attr.Saliency(NET.module))
    theirs = tunnel.attribute(
        X,
        target=1,
        nt_type={"mean": "smoothgrad", "square": "smoothgrad_sq"}[kind],
        nt_samples=2,
        stdevs=0.0,
        abs=False,
    )
    ours = pl.attribution.smooth_grad(NET, IMAGES, 1, samples=2, sigma=0, statistic=kind, reduce="signed").array
    assert same(ours, theirs.sum(1))


def test_smooth_grad_agrees_within_its_error() -> None:
    """Captum's width is absolute; that of image a is 0.1 of its range."""
    width = 0.1 * float(X[:1].max() - X[:1].min())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = attr.NoiseTunnel(attr.Saliency(NET.module)).attribute(
            X[:1], target=1, nt_samples=2000, stdevs=width, abs=False
        )
    ours = pl.attribution.smooth_grad(NET, IMAGES[0], 1, samples=2000, sigma=0.1, reduce="signed")
    z = (ours.array - theirs.sum(1).detach().numpy()) / (ours.error * np.sqrt(2))
    assert np.abs(z).max() < 5


def test_known_disagreement_on_the_chunk_of_noise() -> None:
    """Trap T19: under one seed captum's map depends on how many samples are run at once; ours does not."""
    maps = []
    for at_once in (1, 5):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            tunnel = attr.NoiseTunnel(attr.Saliency(NET.module))
            maps.append(tunnel.attribute(X, target=1, nt_samples=10, nt_samples_batch_size=at_once, abs=False))
    assert not torch.allclose(*maps, atol=1e-6)
    chunks = []
    for memory in (1, 2**29):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pellucid.net.MEMORY", memory)
            chunks.append(pl.attribution.smooth_grad(NET, IMAGES, 1, samples=10).array)
    assert np.allclose(*chunks, atol=1e-14)


def test_known_disagreement_on_the_variance() -> None:
    """Captum divides by n: over two samples of a quadratic its VarGrad is half of the unbiased one, on average."""

    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.square().sum((1, 2, 3))[:, None] / 2

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tunnel = attr.NoiseTunnel(attr.Saliency(Square()))
        theirs = torch.stack(
            [tunnel.attribute(X, target=0, nt_type="vargrad", nt_samples=2, stdevs=0.2, abs=False) for _ in range(60)]
        ).mean()
    assert float(theirs) == pytest.approx(0.2**2 / 2, rel=0.05)
    width = [0.2 * float(one.max() - one.min()) for one in X]
    ours = [
        pl.attribution.smooth_grad(
            Net(Square(), preprocess=Preprocess()),
            IMAGES,
            0,
            samples=2,
            sigma=0.2,
            statistic="variance",
            reduce="l1",
            seed=s,
        ).array
        for s in range(60)
    ]
    assert np.mean(ours, axis=(0, 2, 3)) == pytest.approx([3 * w**2 for w in width], rel=0.1)


def test_expected_gradients_agree_within_their_error() -> None:
    """Captum's GradientShap without noise is the same estimate."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 - captum draws with the global generator
        theirs = attr.GradientShap(NET.module).attribute(X, STARTS, target=1, n_samples=3000, stdevs=0.0).sum(1)
    ours = pl.attribution.expected_gradients(NET, IMAGES, 1, references=BASELINES, samples=3000)
    z = (ours.array - theirs.detach().numpy()) / (ours.error * np.sqrt(2))
    assert np.abs(z).max() < 5


def asked(module: nn.Module, kind: int):  # type: ignore[no-untyped-def]
    """What PAIR's tools call: (N, H, W, C) pictures to gradients."""

    def call(x, call_model_args=None, expected_keys=None):  # type: ignore[no-untyped-def]
        pixels = torch.from_numpy(np.asarray(x)).permute(0, 3, 1, 2).requires_grad_()
        (gradient,) = torch.autograd.grad(module(pixels)[:, kind].sum(), pixels)
        return dict.fromkeys(expected_keys, gradient.permute(0, 2, 3, 1).numpy())

    return call


def last(x: Tensor) -> np.ndarray:
    return x.permute(1, 2, 0).numpy()


def test_guided_integrated_gradients_step_as_the_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    saliency = pytest.importorskip("saliency.core")
    quantile = np.quantile  # numpy 2.4 took away the word that theirs calls it with
    monkeypatch.setattr(np, "quantile", lambda x, q, interpolation: quantile(x, q, method=interpolation))
    for distance in (0.05, 0.3, 1.0):
        theirs = saliency.GuidedIG().GetMask(
            last(X[0]), asked(NET.module, 1), x_baseline=last(STARTS[0]), x_steps=25, fraction=0.25, max_dist=distance
        )
        ours = pl.attribution.guided_integrated_gradients(
            NET, IMAGES[0], 1, steps=25, fraction=0.25, distance=distance, baseline=BASELINES[0], quadrature="left"
        ).array[0]
        assert np.abs(ours - theirs.sum(-1)).max() < 1e-6 * np.abs(theirs).max()


def test_blur_integrated_gradients_are_the_same_integral() -> None:
    """On a smooth network both go to one limit; theirs has zeros outside the picture, so the picture has a margin."""
    saliency = pytest.importorskip("saliency.core")
    x = torch.zeros(3, 40, 40, dtype=torch.float64)
    x[:, 16:25, 16:25] = X[0]
    weight = torch.randn(3, 40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    class Smooth(nn.Module):
        def forward(self, y: Tensor) -> Tensor:
            return torch.tanh((y * weight).sum((1, 2, 3)) / 10)[:, None] * 3

    module = Smooth()
    theirs = saliency.BlurIG().GetMask(last(x), asked(module, 0), max_sigma=3, steps=2000, grad_step=1e-4)
    net = Net(module, preprocess=Preprocess())
    ours = pl.attribution.blur_integrated_gradients(net, Images.from_pictures([x], ["x"]), 0, sigma=3, tolerance=1e-4)
    assert np.abs(ours.array[0] - theirs.sum(-1)).max() < 0.01 * np.abs(theirs.sum(-1)).max()


def test_xrai_gathers_as_the_authors() -> None:
    saliency = pytest.importorskip("saliency.core")
    from pellucid.methods.attribution.xrai import gathered, segments

    chance = np.random.default_rng(0)
    picture = np.kron(chance.random((7, 7, 3)), np.ones((32, 32, 1)))
    share = chance.normal(size=(224, 224)) + np.kron(chance.normal(size=(7, 7)), np.ones((32, 32)))
    regions = segments(picture, [50, 100, 150, 250, 500, 1200], 150, 5)
    ours, _ = gathered(share, regions, 50)
    masks = []
    for region in regions:
        masks.append(np.zeros((224, 224), bool))
        masks[-1][region.where] = region.mask
    three = share[:, :, None].repeat(3, axis=2)
    theirs = saliency.XRAI().GetMask(picture, None, segments=masks, base_attribution=three)
    assert np.abs(ours - theirs).max() < 1e-12
    cut = saliency.XRAI().GetMask(picture, None, base_attribution=three)
    assert np.corrcoef(cut.ravel(), ours.ravel())[0, 1] > 0.99, "and it cuts the picture as we do"
