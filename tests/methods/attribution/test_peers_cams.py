"""The same numbers as pytorch-grad-cam and torchcam on plain networks; and where they differ, why."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from pellucid.saliency.layers import at_pixels
from tests.networks import seeded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pgc: Any = pytest.importorskip("pytorch_grad_cam")
    torchcam: Any = pytest.importorskip("torchcam.methods")
    targets: Any = pytest.importorskip("pytorch_grad_cam.utils.model_targets")

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
A = pl.attribution
Array = NDArray[np.float64]
X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(4))
IMAGES = Images.from_pictures(list(X), ["a", "b"])


class Plain(nn.Module):
    """Module rectifiers, out of place, nothing shared: what every tool can look at."""

    def __init__(self, gain: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.a, self.ra = nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.ReLU()
        self.b, self.rb = nn.Conv2d(8, 10, 3, padding=1, stride=2), nn.ReLU(inplace=inplace)
        self.c, self.rc = nn.Conv2d(10, 12, 3, padding=1), nn.ReLU()
        self.head, self.gain = nn.Linear(12, 5), gain

    def forward(self, x: Tensor) -> Tensor:
        h = self.rc(self.c(self.rb(self.b(self.ra(self.a(x))))))
        out: Tensor = self.gain * self.head(h.mean((2, 3)))
        return out


def net_of(gain: float = 1.0, inplace: bool = False) -> Any:
    return Net(seeded(lambda: Plain(gain, inplace)).float(), preprocess=Preprocess())


def shown(values: Array) -> Array:
    """As these tools hand maps out: positive part, then min-max, image by image."""
    values = np.maximum(values, 0)
    low = values.min((1, 2), keepdims=True)
    return (values - low) / (values - low).max((1, 2), keepdims=True)


def theirs(kind: str, net: Net, layer: str, c: int, **how: Any) -> Array:
    """The raw map of pytorch-grad-cam, before it is rectified, rescaled and resized."""
    with getattr(pgc, kind)(net.module, [net.module.get_submodule(layer)], **how) as cam:
        seen: list[Array] = []
        whole = cam.get_cam_image

        def keep(*given: Any) -> Array:
            seen.append(whole(*given))
            return seen[-1]

        cam.get_cam_image = keep
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
            cam(X.clone(), [targets.ClassifierOutputTarget(c)] * 2)
    return seen[0]


def torchcams(kind: str, net: Net, layer: str, c: int, **how: Any) -> Array:
    """The raw map of torchcam."""
    with getattr(torchcam, kind)(net.module, layer, **how) as cam:
        scores = net.module(X.clone().requires_grad_())
        found: Tensor = cam(c, scores, normalized=False)[0]
    return found.detach().numpy()


def near(a: Array, b: Array, tolerance: float = 1e-4) -> bool:
    return bool(np.abs(a - b).max() <= tolerance * max(np.abs(a).max(), np.abs(b).max()))


@pytest.mark.parametrize("layer", ["rb", "rc"])
@pytest.mark.parametrize(
    ("ours", "kind"),
    [("grad_cam", "GradCAM"), ("x_grad_cam", "XGradCAM"), ("hires_cam", "HiResCAM"), ("layer_cam", "LayerCAM")],
)
def test_gradient_methods_of_pytorch_grad_cam(ours: str, kind: str, layer: str) -> None:
    net = net_of()
    assert near(getattr(A, ours)(net, IMAGES, 1, layer=layer).array, theirs(kind, net, layer, 1))


@pytest.mark.parametrize("layer", ["rb", "rc"])
@pytest.mark.parametrize(
    ("ours", "kind"), [("grad_cam", "GradCAM"), ("x_grad_cam", "XGradCAM"), ("layer_cam", "LayerCAM")]
)
def test_gradient_methods_of_torchcam(ours: str, kind: str, layer: str) -> None:
    """Its maps are rectified."""
    net = net_of()
    mine = getattr(A, ours)(net, IMAGES, 1, layer=layer).array
    assert near(np.maximum(mine, 0), torchcams(kind, net, layer, 1))


def test_grad_cam_plus_plus_where_gradients_are_large() -> None:
    """With g² far above its epsilon pytorch-grad-cam evaluates the formula."""
    net = net_of(gain=1e4)
    assert near(A.grad_cam_plus_plus(net, IMAGES, 1, layer="rb").array, theirs("GradCAMPlusPlus", net, "rb", 1), 1e-3)


def test_score_cam_of_pytorch_grad_cam() -> None:
    """It upsamples with align_corners=True (trap T14): the same for it on the same masks."""
    net = net_of(gain=30)
    expected = theirs("ScoreCAM", net, "rc", 1)
    a = F.relu(net.module.c(net.module.rb(net.module.b(net.module.ra(net.module.a(X)))))).detach()
    masks = F.interpolate(a, (32, 32), mode="bilinear", align_corners=True)
    flat = masks.flatten(2)
    low, high = flat.amin(2)[..., None, None], flat.amax(2)[..., None, None]
    masks = (masks - low) / (high - low + 1e-8)
    with torch.no_grad():
        logits = torch.stack([net.module(X[n] * masks[n][:, None])[:, 1] for n in range(2)])
    assert near(np.einsum("nk,nkhw->nhw", logits.softmax(1).numpy(), a.numpy()), expected)
    ours = A.score_cam(net, IMAGES, 1, layer="rc", placement="stretch").array
    assert not near(shown(ours), shown(expected), 1e-3)


def test_score_cam_of_torchcam() -> None:
    """It rescales before upsampling, with align_corners=False: our `stretch`, but for masks that never quite open."""
    net = net_of(gain=30)
    expected = torchcams("ScoreCAM", net, "rc", 1)
    a = F.relu(net.module.c(net.module.rb(net.module.b(net.module.ra(net.module.a(X)))))).detach()
    flat = a.flatten(2)
    low, high = flat.amin(2)[..., None, None], flat.amax(2)[..., None, None]
    masks = F.interpolate((a - low) / (high - low + 1e-8), (32, 32), mode="bilinear", align_corners=False)
    with torch.no_grad():
        logits = torch.stack([net.module(X[n] * masks[n][:, None])[:, 1] for n in range(2)])
    assert near(np.einsum("nk,nkhw->nhw", logits.softmax(1).numpy(), a.numpy()), expected)
    ours = A.score_cam(net, IMAGES, 1, layer="rc", placement="stretch").array
    assert np.corrcoef(ours.ravel(), expected.ravel())[0, 1] > 0.9


def test_ablation_cam_of_pytorch_grad_cam() -> None:
    """On rectified maps and a positive score."""
    net = net_of()
    with torch.no_grad():
        net.module.head.bias += 1
    assert near(A.ablation_cam(net, IMAGES, 1, layer="rc").array, theirs("AblationCAM", net, "rc", 1))


def test_eigen_cam_of_pytorch_grad_cam() -> None:
    """Centered, and up to the sign that it leaves to the decomposition (trap T10)."""
    net, turned = net_of(), []
    for layer in ("ra", "rb", "rc"):
        ours, expected = A.eigen_cam(net, IMAGES, layer=layer, centered=True).array, theirs("EigenCAM", net, layer, 1)
        for mine, other in zip(ours, expected, strict=True):
            sign = np.sign((mine * other).sum())
            assert near(mine, sign * other, 1e-3)
            turned.append(sign)
    assert -1 in turned


def test_finer_cam_of_torchcam() -> None:
    net = net_of()
    with torchcam.FinerCAM(net.module, "rb", gamma=0.6, num_references=3) as cam:
        expected = cam(1, net.module(X.clone().requires_grad_()), normalized=False)[0].detach().numpy()
    assert near(np.maximum(A.finer_cam(net, IMAGES, 1, layer="rb").array, 0), expected)


def test_cam_of_torchcam() -> None:
    net = net_of()
    with torchcam.CAM(net.module, "rc", "head") as cam:
        net.module(X)
        expected = cam(1, normalized=False)[0].numpy()
    assert near(A.cam(net, IMAGES, 1).array, expected) or near(np.maximum(A.cam(net, IMAGES, 1).array, 0), expected)


# Where they differ


def weights(activation: Tensor, gradient: Tensor) -> dict[str, Array]:
    """Grad-CAM++'s weights (N, K): in float64 as the paper has them, and what the tools make of them."""
    a, g = activation.double().numpy(), gradient.double().numpy()
    total = a.sum((2, 3), keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.where(g != 0, g**2 / (2 * g**2 + total * g**3), 0)
    damped = g**2 / (2 * g**2 + total * g**3 + 1e-6)
    parts = {"paper": exact, "epsilon": damped, "undivided": g**2}
    return {name: (alpha * np.maximum(g, 0)).sum((2, 3)) for name, alpha in parts.items()}


def test_known_disagreements_on_grad_cam_plus_plus() -> None:
    """T8: pytorch-grad-cam's epsilon of 1e-6 drowns g²; T7: torchcam divides a copy: weights Σ g² relu(g)."""
    net = net_of(gain=1e-2)
    run = net.run(X, layers=["rc"], grad=True)
    (g,) = torch.autograd.grad(run.scores[:, 1].sum(), run["rc"])
    a = run["rc"].detach()
    maps = {name: np.einsum("nk,nkhw->nhw", w, a.numpy()) for name, w in weights(a, g).items()}
    assert near(A.grad_cam_plus_plus(net, IMAGES, 1, layer="rc").array, maps["paper"])
    assert near(theirs("GradCAMPlusPlus", net, "rc", 1), maps["epsilon"])
    assert near(torchcams("GradCAMpp", net, "rc", 1), maps["undivided"])
    assert np.abs(maps["epsilon"] / maps["paper"]).max() < 0.01
    assert not near(shown(maps["undivided"]), shown(maps["paper"]), 0.05)


def test_known_disagreement_on_in_place_rectifiers() -> None:
    """T6: they keep a view of what the in-place rectifier rewrites; ours are the layer's own numbers."""
    twin, other = net_of(inplace=True), net_of()
    ours = A.grad_cam(twin, IMAGES, 1, layer="b").array
    assert np.array_equal(ours, A.grad_cam(other, IMAGES, 1, layer="b").array)
    apart, rewritten = theirs("GradCAM", other, "b", 1), theirs("GradCAM", twin, "b", 1)
    assert near(A.grad_cam(twin, IMAGES, 1, layer="b").array, apart)
    assert not near(apart, rewritten, 0.01)
    apart, rewritten = torchcams("GradCAM", other, "b", 1), torchcams("GradCAM", twin, "b", 1)
    assert near(np.maximum(A.grad_cam(twin, IMAGES, 1, layer="b").array, 0), apart)
    assert not near(apart, rewritten, 0.01)


def test_known_disagreement_on_several_layers() -> None:
    """T12: every layer is rescaled by its own extremes before the mean: a thousandfold weaker one counts the same."""
    net = net_of()
    with torch.no_grad():
        net.module.head.weight.abs_()  # something speaks for every class
    maps = [A.grad_cam(net, IMAGES, 1, layer=n, placement="stretch") for n in ("rb", "rc")]
    read = [at_pixels(torch.from_numpy(h.array), h.placement, (32, 32)).numpy() for h in maps]
    with pgc.GradCAM(net.module, [net.module.rb, net.module.rc]) as cam:
        expected = cam(X.clone(), [targets.ClassifierOutputTarget(1)] * 2)
    assert np.corrcoef(expected.ravel(), shown((shown(read[0]) + shown(read[1])) / 2).ravel())[0, 1] > 0.98
    ours = A.grad_cam(net, IMAGES, 1, layer="rb,rc", placement="stretch").array
    assert near(ours, (read[0] / 16 + read[1] / 16) / 2)
    assert not near(shown(ours), expected, 0.05)


def test_known_disagreement_on_negative_scores() -> None:
    """T24: (y − y_k) / y turns the map where y < 0."""
    net = net_of()
    with torch.no_grad():
        net.module.head.bias -= 5
    ours, expected = A.ablation_cam(net, IMAGES, 1, layer="rc").array, theirs("AblationCAM", net, "rc", 1)
    assert near(ours, -expected)


def test_known_disagreement_on_ablating_what_is_not_rectified() -> None:
    """Where a layer has negative cells pytorch-grad-cam sets channels to min − 1e7 instead of 0: scores explode."""
    net = net_of()
    ours, expected = A.ablation_cam(net, IMAGES, 1, layer="c").array, theirs("AblationCAM", net, "c", 1)
    a = net.run(X, layers=["c"])["c"].detach()
    w = net.module.head.weight[1].detach()
    falls = w * F.relu(a).mean((2, 3)) / net.module(X)[:, 1:2].abs().detach()
    assert near(ours, torch.einsum("nk,nkhw->nhw", falls, a).numpy())
    assert not near(shown(ours), shown(expected), 0.05)


def test_known_disagreement_on_finer_cam() -> None:
    """pytorch-grad-cam weights the similar classes by their probabilities and differentiates those weights too."""
    net = net_of(gain=30)
    with pgc.FinerCAM(net.module, [net.module.rb]) as cam:
        expected = cam(X.clone(), None, alpha=0.6, target_idx=1)
    run = net.run(X, layers=["rb"], grad=True)
    near_by = (run.scores - run.scores[:, 1:2]).abs().argsort(1)[:, 1:4]
    p, y = run.scores.softmax(1).gather(1, near_by), run.scores.gather(1, near_by)
    score = (p * (run.scores[:, 1:2] - 0.6 * y)).sum(1) / p.sum(1)
    (g,) = torch.autograd.grad(score.sum(), run["rb"])
    raw = torch.einsum("nk,nkhw->nhw", g.mean((2, 3)), run["rb"].detach())
    same = F.interpolate(torch.from_numpy(shown(raw.numpy()))[None], (32, 32), mode="bilinear", align_corners=False)[0]
    assert near(shown(same.numpy()), expected, 1e-3)
    ours = A.finer_cam(net, IMAGES, 1, layer="rb", placement="stretch")
    read = at_pixels(torch.from_numpy(ours.array), ours.placement, (32, 32)).numpy()
    assert not near(shown(read), expected, 0.05)


def test_known_disagreement_on_the_sign_of_a_map() -> None:
    """T11: nothing speaks for the class; theirs is zero without a word, ours keeps the numbers and says so."""
    net = net_of()
    with torch.no_grad():
        net.module.head.weight.copy_(-net.module.head.weight.abs())
    with pgc.GradCAM(net.module, [net.module.rc]) as cam:
        assert not cam(X.clone(), [targets.ClassifierOutputTarget(1)] * 2).any()
    heat = A.grad_cam(net, IMAGES, 1, layer="rc")
    assert (heat.array.min((1, 2)) < 0).all()
    assert sum("no positive evidence" in note for note in heat.meta.said) == 2


def test_known_disagreement_on_places() -> None:
    """T14, T15: resized maps put the first cell half a stride inside; its field is centered on pixel 0 or 1."""
    net = net_of()
    field, stretch = (A.grad_cam(net, IMAGES, 1, layer="rc", placement=p).placement for p in ("field", "stretch"))
    assert field.start == (0, 0)
    assert stretch.start == (1.5, 1.5)
    read = [at_pixels(torch.eye(8).view(1, 8, 8), p, (32, 32)) for p in (field, stretch)]
    usual = F.interpolate(torch.eye(8).view(1, 1, 8, 8), (32, 32), mode="bilinear", align_corners=False)[0]
    assert torch.allclose(read[1], usual, atol=1e-6)
    assert not torch.allclose(read[0], usual, atol=0.1)
