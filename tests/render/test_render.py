"""The loop: against the same steps written out, and what it promises of batches, sizes and networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.images import Images
from pellucid.images.perturb import blurred
from pellucid.net import Net, Preprocess
from pellucid.progress import view
from pellucid.render.frame import Frame, framed
from pellucid.render.magnitude import Magnitude
from pellucid.render.objectives import Each, streams
from pellucid.render.optimizers import Adam, Ascent, Normalized, Progress
from pellucid.render.parametrizations import Fourier, Pixels
from pellucid.render.pixels import eight_bits
from pellucid.render.recipes import PRESETS, Recipe
from pellucid.render.regularizers import L2, Blur, Decay, SmallContribution, SmallNorm
from pellucid.render.render import optimized
from pellucid.render.sizes import native_size
from pellucid.render.transforms import Crop, Jitter, Noise
from pellucid.rng import generator
from pellucid.target import Channel, Logit, Target


class Two(nn.Module):
    """Two convolutions with rectifiers called as functions, and an averaging head; any size."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(channels, 6, 3), nn.Conv2d(6, 5, 3, stride=2), nn.Linear(5, 4)
        self.passes: list[str] = []

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.a(x))
        h = F.relu_(self.b(h))
        return self.head(h.mean((2, 3)))


def two(channels: int = 3, dtype: torch.dtype = torch.float64, **preprocess: object) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = Two(channels).to(dtype)
    shown = {"mean": (0.4,) * channels, "std": (0.25,) * channels, "channels": channels} | preprocess
    return Net(module, "two", Preprocess(**shown))  # type: ignore[arg-type]


def made(net: Net, targets: list[Target], recipe: Recipe, size: int | None = 16, **more: object) -> Tensor:
    frame = framed(net, size, recipe.room, cuts=recipe.cuts)
    return optimized(net, Each(tuple(targets)), recipe, frame, list(streams(0, targets, 1)), what="test", **more)  # type: ignore[arg-type]


def percentile(worth: np.ndarray, share: float) -> float:
    return float(np.quantile(worth, share / 100))


@pytest.mark.parametrize("name", ["yosinski-1", "yosinski-2", "yosinski-3", "yosinski-4"])
def test_yosinskis_steps_in_their_own_unit(name: str) -> None:
    """X in 0..255 less the mean: clip, forward, gradient, X += lr G; decay; blur; small norm; small contribution."""
    settings = {
        "yosinski-1": (None, 0.0, 0.5, 50, 0), "yosinski-2": (100.0, 0.3, 0, 20, 0),
        "yosinski-3": (100.0, 1e-4, 1.0, 0, 0), "yosinski-4": (1e8, 0.0, 0.5, 0, 90),
    }[name]  # fmt: skip
    net, target, size = two(), Logit(2), 12
    with torch.no_grad():
        net.module.head.weight *= 300  # so that their rates, made for the gradients of CaffeNet, move something
    found = made(net, [target], replace(PRESETS[name], steps=9), size)[0]
    mean = 255 * torch.full((3, 1, 1), 0.4, dtype=torch.float64)
    noise = generator(0, str(target), 0, "start").standard_normal((3, size, size))
    x = 10 * torch.from_numpy(noise)
    lr, decay, sigma, norm, contribution = settings
    best, finest = -np.inf, x
    for step in range(9):
        x = (x + mean).clamp(0, 255) - mean
        leaf = x.clone().requires_grad_()
        with torch.enable_grad():
            score = net.module((leaf / 255)[None] / 0.25)[0, 2]
            (g,) = torch.autograd.grad(score, leaf)
        if score.item() > best:
            best, finest = score.item(), x
        progress = 2.0 / float(g.square().sum())
        rate = min(progress, {"yosinski-1": 100, "yosinski-4": 1e8}[name]) if name[-1] in "14" else lr
        x = (x + rate * g) * (1 - decay)
        if sigma and (step + 1) % 4 == 0:
            x = blurred(x, sigma)
        if norm:
            worth = x.norm(dim=0).numpy()
            x = x * torch.from_numpy(worth >= percentile(worth, norm))
        if contribution:
            worth = (x * g).sum(0).abs().numpy()
            x = x * torch.from_numpy(worth >= percentile(worth, contribution))
    expected = (finest + mean).clamp(0, 255) / 255
    assert float((found - expected).abs().max()) < 1e-9
    assert float((found - (10 * torch.from_numpy(noise) + mean) / 255).abs().max()) > 1e-3


def test_lucids_steps_written_out() -> None:
    """Adam on Fourier coefficients by hand, with the network's own call and no transform."""
    net, target, size, rate = two(), Channel("b", 1), 10, 0.05
    found = made(net, [target], Recipe("x", Fourier(), Adam(rate), 5, redirect=0), size)
    p = Fourier().begin([generator(0, str(target), 0, "start")], 3, (size, size))
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    for step in range(1, 6):
        leaf = p.clone().requires_grad_()
        with torch.enable_grad():
            x = (Fourier().pixels(leaf, (size, size)) - 0.4) / 0.25
            score = net.module.b(F.relu(net.module.a(x)))[0, 1].mean()
            (g,) = torch.autograd.grad(-score, leaf)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
    assert float((found - Fourier().pixels(p, (size, size))).abs().max()) < 1e-9


def test_rates() -> None:
    x, g = torch.zeros(2, 3, 2, 2), torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(Ascent(0.5).begin()(x, g), 0.5 * g)
    assert torch.allclose(Normalized(0.1).begin()(x, g)[1], 0.1 * g[1] / g[1].abs().mean())
    gain = Progress(2, most=1e9).begin()(x, g)
    assert torch.allclose((gain * g).flatten(1).sum(1), torch.tensor([2.0, 2.0]))  # what a linear score rises by
    assert torch.allclose(Progress(2, most=0.01).begin()(x, g), 0.01 * g)
    assert not Normalized(1).begin()(x, 0 * g).any()


def test_penalties_are_taken_from_the_objective() -> None:
    net, target = two(), Logit(0)
    recipe = Recipe("x", Pixels(0.1), Ascent(0.01), 1, (), (L2(3),), redirect=0)
    start = Pixels(0.1).begin([generator(0, str(target), 0, "start")], 3, (12, 12), (0.4,) * 3)
    leaf = start.clone().requires_grad_()
    with torch.enable_grad():
        score = net.module((leaf - 0.4) / 0.25)[0, 0] - 3 * (leaf - 0.4).square().sum()
        (g,) = torch.autograd.grad(score, leaf)
    assert float((made(net, [target], recipe, 12) - (start + 0.01 * g).clamp(0, 1)).abs().max()) < 1e-12


def test_pixels_are_clipped_before_the_gradient_is_taken() -> None:
    """And not where it is taken: a pixel that has left the range must still feel what would bring it back."""
    net, target, rate = two(), Logit(2), 0.6
    found = made(net, [target], Recipe("x", Pixels(0.1), Normalized(rate), 3, redirect=0), 12)[0]
    x = Pixels(0.1).begin([generator(0, str(target), 0, "start")], 3, (12, 12), (0.4,) * 3)
    for _ in range(3):
        leaf = x.clamp(0, 1).requires_grad_()
        with torch.enable_grad():
            (g,) = torch.autograd.grad(net.module((leaf - 0.4) / 0.25)[0, 2], leaf)
        x = leaf.detach() + rate * g / g.abs().mean()
    assert float((found - x[0].clamp(0, 1)).abs().max()) < 1e-9
    assert float(((x < 0) | (x > 1)).double().mean()) > 0.2


def test_the_best_picture_is_kept_where_the_recipe_says_so() -> None:
    net, wild = two(), Recipe("x", Pixels(0.1), Normalized(0.5), 12, redirect=0)
    seen: list[float] = []

    def watch(_step: int, pictures: Callable[[], Tensor]) -> None:
        seen.append(float(net.run(pictures()).output[0, 1]))

    last = float(net.run(made(net, [Logit(1)], wild, watch=watch)).output[0, 1])
    best = float(net.run(made(net, [Logit(1)], replace(wild, best=True))).output[0, 1])
    assert best >= max(seen[:-1]) - 1e-9
    assert last == pytest.approx(seen[-1])
    assert best > min(seen)


EVERY = pytest.mark.parametrize("name", PRESETS)


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_preset_climbs_on_small_pictures(name: str, channels: int) -> None:
    net, targets = two(channels), [Logit(1), Channel("b", 3)]
    recipe = replace(PRESETS[name], steps=12, views_per_step=min(PRESETS[name].views_per_step, 2))
    pictures = made(net, targets, recipe, 32)
    start = made(net, targets, replace(recipe, steps=1, optimizer=Ascent(0), priors=()), 32)
    assert pictures.shape == (2, channels, 32, 32)
    assert float(pictures.min()) >= 0
    assert float(pictures.max()) <= 1
    assert eight_bits(pictures).shape == (2, 32, 32, channels)
    for i, target in enumerate(targets):
        before, after = (target(net.run(x[i : i + 1], layers=target.layers)) for x in (start, pictures))
        if name not in ("yosinski-1", "yosinski-2", "yosinski-4"):  # rates for the gradients of CaffeNet
            assert float(after) > float(before)


@pytest.mark.slow
@EVERY
def test_a_picture_does_not_depend_on_its_neighbors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, targets = two(), [Logit(1), Channel("b", 3), Channel("b", 0), Logit(0)]
    recipe = replace(PRESETS[name], steps=4, views_per_step=min(PRESETS[name].views_per_step, 2))
    together = made(net, targets, recipe)
    alone = torch.cat([made(net, [target], recipe) for target in targets])
    turned = made(net, targets[::-1], recipe).flip(0)
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    small = made(net, targets, recipe)
    for other in (alone, turned, small):
        assert torch.allclose(together, other, rtol=0, atol=1e-9)
    assert float((together[0] - together[1]).abs().max()) > 1e-3


def test_batches_hold_neighbors_of_the_same_layers_and_groups_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    net, ends = two(), []
    whole = Net.run

    def noted(self: Net, pixels: Tensor, **how: object) -> object:
        ends.append((len(pixels), how["layers"], how["stop"]))
        return whole(self, pixels, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Net, "run", noted)
    recipe = replace(PRESETS["lucid"], steps=1)
    made(net, [Channel("a", 1), Channel("a", 2), Channel("b", 3), Logit(0)], recipe)
    assert ends == [(2, ("a",), True), (1, ("b",), True), (1, (), False)]
    monkeypatch.setattr(Net, "chunk", lambda *_a, **_k: 2)
    ends.clear()
    made(net, [Channel("a", 1)] * 6, recipe, together=3)
    assert [n for n, *_ in ends] == [3, 3]


def test_the_pass_ends_at_the_targets_layer() -> None:
    net, calls = two(), []
    net.module.head.forward = lambda x: calls.append(1) or nn.Linear.forward(net.module.head, x)  # type: ignore[method-assign, assignment, func-returns-value]
    net.layers((28, 28))
    calls.clear()
    made(net, [Channel("b", 1)], replace(PRESETS["lucid"], steps=3))
    assert not calls


class Fixed(nn.Module):
    """Takes 20 × 20 and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4 * 18 * 18, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.conv(x)).flatten(1))


def test_a_network_of_one_size_sees_pictures_zoomed() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net(Fixed().double(), "fixed", Preprocess((20, 20), (20, 20)))
    for name in PRESETS:
        recipe = replace(PRESETS[name], steps=2, views_per_step=1)
        frame = framed(net, 48, recipe.room, cuts=recipe.cuts)
        assert frame.canvas == (20, 20)
        assert frame.zoom == pytest.approx(20 / (48 + (0 if recipe.cuts else recipe.room)))
        assert bool(frame.notes) != recipe.cuts
        assert made(net, [Logit(1)], recipe, 48).shape == (1, 3, 48, 48)
        assert made(net, [Logit(1)], recipe, None).shape == (1, 3, 20, 20)
    with pytest.raises(PellucidError, match="nothing is left"):
        framed(net, 8, -8)


def test_the_native_size_is_what_the_preprocessing_only_cuts() -> None:
    for preprocess in (
        Preprocess(40, (32, 32)), Preprocess((30, 50)), Preprocess(None, (24, 20)), Preprocess(64),
    ):  # fmt: skip
        size = native_size(Net(Two(), "x", preprocess))
        picture = torch.rand(3, *size)
        seen = preprocess.prepare(Images.from_pictures([picture], ["x"])).pictures[0]
        crop = preprocess.crop or size
        top, left = round((size[0] - crop[0]) / 2), round((size[1] - crop[1]) / 2)
        assert torch.equal(seen, picture[:, top : top + crop[0], left : left + crop[1]])


def test_a_window_wanders_over_the_native_size() -> None:
    net = two(resize=24, crop=(16, 20))
    frame = framed(net, None, 12)
    assert (frame.size, frame.canvas) == ((24, 30), (16, 20))
    assert frame.roam == (8 + 12, 10 + 12)
    frame = framed(net, None, -4)
    assert frame.roam == (8, 10)
    shifts = np.array([frame.matrix(generator(0, i))[:2, 2] for i in range(300)])
    assert set(shifts[:, 1]) == set(np.arange(-4.0, 5))
    assert set(shifts[:, 0]) == set(np.arange(-5.0, 6))


def test_many_looks_are_the_mean_of_their_gradients() -> None:
    net, target, crops = two(), Logit(2), (Crop(0.4, 0.6),)
    credit: list[Tensor] = []
    recipe = Recipe("x", Pixels(0.1), Ascent(0.1), 1, (*crops, Noise(0.01)), redirect=0, views_per_step=3)
    frame = framed(net, 24, 0, cuts=True)
    found = optimized(net, Each((target,)), recipe, frame, list(streams(0, [target], 1)), what="x", credit=credit)
    start = Pixels(0.1).begin([generator(0, str(target), 0, "start")], 3, (24, 24), (0.4,) * 3)
    chance, gradient = generator(0, str(target), 0, "step", 0), torch.zeros_like(start)
    for _ in range(3):
        leaf = start.clone().requires_grad_()
        with torch.enable_grad():
            matrix = crops[0].draw(chance, 24)
            frame.matrix(chance)
            theta = torch.from_numpy((np.diag([2 / 24, 2 / 24, 1]) @ matrix @ np.diag([12, 12, 1]))[None, :2])
            grid = F.affine_grid(theta, [1, 3, 24, 24], align_corners=False)
            seen = F.grid_sample(leaf - 0.5, grid, mode="bicubic", align_corners=False) + 0.5
            noise = chance.standard_normal((3, 24, 24), dtype=np.float32) + chance.random((3, 24, 24), np.float32)
            seen = seen + torch.from_numpy(np.float32(0.01) * (noise - np.float32(0.5)))
            (g,) = torch.autograd.grad(net.module((seen - 0.4) / 0.25)[0, 2], leaf)
        gradient += g / 3
    assert float((found - (start + 0.1 * gradient).clamp(0, 1)).abs().max()) < 1e-6
    assert torch.allclose(credit[0], gradient.abs().sum(1), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["pellucid", "maco", "yosinski-3"])
def test_precisions(dtype: torch.dtype, name: str) -> None:
    recipe = replace(PRESETS[name], steps=3, views_per_step=1)
    pictures = made(two(dtype=dtype), [Logit(1)], recipe)
    assert pictures.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert torch.isfinite(pictures).all()
    exact = made(two(), [Logit(1)], recipe)
    assert float((pictures.double() - exact).abs().mean()) < (1e-4 if dtype == torch.float32 else 0.1)


def test_same_seed_same_picture_and_another_seed_another() -> None:
    net, target, recipe = two(), Logit(1), replace(PRESETS["lucid"], steps=3)
    frame = framed(net, 16, recipe.room)
    one, again, other = (
        optimized(net, Each((target,)), recipe, frame, list(streams(seed, [target], 1)), what="x") for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert float((one - other).abs().max()) > 1e-2


def test_begins_as_it_is_told() -> None:
    photo = torch.rand(1, 3, 16, 16, dtype=torch.float64) * 0.8 + 0.1
    still = Recipe("x", Fourier(), Ascent(0), 1, redirect=0)
    assert torch.allclose(made(two(), [Logit(0)], still, begin=photo), photo, atol=1e-9)
    with pytest.raises(Refused, match="cannot begin as a photo"):
        made(two(), [Logit(0)], Recipe("x", Magnitude(), Ascent(0), 1), begin=photo)


class Dead(nn.Module):
    """A rectifier that nothing passes at the start: its bias is far below what any gray picture reaches."""

    def __init__(self, six: bool = False) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 4, 5), nn.ReLU6() if six else nn.ReLU()
        with torch.no_grad():
            self.conv.bias.fill_(6.3 if six else -0.4)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        h = self.act(self.conv(x))
        return h.mean((2, 3))


@pytest.mark.parametrize("six", [False, True])
def test_a_dead_start_stays_gray_without_redirection(six: bool) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        net = Net(Dead(six).double(), "dead", Preprocess(mean=(0.5,) * 3, std=(1.0,) * 3))
    # of the six, less is asked for: its rectifiers stand above 6
    target = -1 * Channel("act", 1) if six else Channel("act", 1)
    with_, without = (
        made(net, [target], Recipe("x", Fourier(), Adam(0.2), 60, (Jitter(2),), redirect=n), 16) for n in (16, 0)
    )
    level = 6.0 if six else 0.0
    assert float(net.run(without).output[0, 1]) == level
    assert float((without - 0.5).abs().max()) < 0.05, "a gray picture"
    assert abs(float(net.run(with_).output[0, 1]) - level) > 0.01
    assert float((with_ - 0.5).abs().max()) > 0.2


def test_only_dead_pictures_of_a_batch_are_redirected() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        net = Net(Dead().double(), "dead", Preprocess(mean=(0.5,) * 3, std=(1.0,) * 3))
    with torch.no_grad():
        net.module.conv.bias[0] = 0.3
    recipe = Recipe("x", Fourier(), Adam(0.2), 12, (Jitter(2),), redirect=16)
    alive, dead = Channel("act", 0), Channel("act", 1)
    together = made(net, [alive, dead], recipe, 16)
    assert torch.allclose(together[1], made(net, [dead], recipe, 16)[0], atol=1e-9)
    assert torch.allclose(together[0], made(net, [alive], replace(recipe, redirect=0), 16)[0], atol=1e-9)
    assert float((together[1] - 0.5).abs().max()) > 0.1


def test_no_hook_is_left_and_the_network_is_untouched() -> None:
    net = two()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    net.module.train()
    made(net, [Channel("a", 1), Logit(0)], replace(PRESETS["lucid"], steps=18))
    assert sum(len(part._forward_hooks) + len(part._backward_hooks) for part in net.module.modules()) == 0
    assert net.module.training
    assert all(p.requires_grad and p.grad is None for p in net.module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())


def test_a_network_that_fails_midway_is_named_and_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    net, calls, whole = two(), 0, Two.forward
    net.module.train()
    net.layers((28, 28))

    def failing(self: Two, x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise RuntimeError("out of luck")
        return whole(self, x)

    monkeypatch.setattr(Two, "forward", failing)
    with pytest.raises(BadNetwork, match="out of luck"):
        made(net, [Channel("a", 1)], replace(PRESETS["lucid"], steps=9))
    assert calls == 4
    assert net.module.training
    assert not net.module.a._forward_hooks


class Viewing(nn.Module):
    """Relies on how the numbers of an activation lie in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * 144, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.conv(x))
        return self.head(h.view(len(h), -1))


def test_a_network_that_views_its_memory_is_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net(Viewing().double(), "viewing", Preprocess(12, (12, 12)))
    net.layers()
    passes, whole = [], Viewing.forward
    monkeypatch.setattr(Viewing, "forward", lambda self, x: passes.append(1) or whole(self, x))
    # the checks of types draw from Python's generator, the network does not
    monkeypatch.setattr("pellucid.net.tap._draws", lambda *_: False)
    found = made(net, [Logit(1)], replace(PRESETS["lucid"], steps=3), None)
    monkeypatch.setattr(Viewing, "forward", lambda self, x: self.head(F.relu(self.conv(x)).flatten(1)))
    again = made(net, [Logit(1)], replace(PRESETS["lucid"], steps=3), None)
    assert torch.allclose(found, again, atol=1e-9)
    assert len(passes) == 1 + 3


def test_what_cannot_be_climbed_is_refused() -> None:
    class Flat(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x), 3) + 0 * x.detach().sum()

    net = Net(Flat(), "flat")
    with pytest.raises(Refused, match="nothing to climb"):
        made(net, [Logit(0)], replace(PRESETS["lucid"], steps=2))


def test_previews_show_the_batch_side_by_side() -> None:
    shown: list[np.ndarray] = []
    with view(shown.append):
        made(two(), [Logit(0), Logit(1)], replace(PRESETS["lucid"], steps=3))
    assert [picture.shape for picture in shown] == [(16, 32, 3)] * 3
    assert shown[0].dtype == np.uint8
    assert (shown[0] != shown[2]).any()


def test_a_frame_looks_at_the_middle_where_nothing_is_free() -> None:
    assert np.array_equal(Frame((8, 8), (8, 8)).matrix(generator(0)), np.eye(3))


def test_touches_work_on_pictures_less_the_mean_color() -> None:
    """A decay by all of it leaves the mean color, not black; a small norm is one near that color."""
    net = two()
    gone = made(net, [Logit(0)], Recipe("x", Pixels(0.2), Ascent(0), 1, (), (Decay(1),)))
    assert torch.allclose(gone, torch.full_like(gone, 0.4))
    for prior in (SmallNorm(100), SmallContribution(100)):
        cut = made(net, [Logit(0)], Recipe("x", Pixels(0.2), Ascent(0), 1, (), (prior,)))
        assert int((cut - 0.4).abs().amax(1).gt(1e-9).sum()) == 1
    smooth = made(net, [Logit(0)], Recipe("x", Pixels(0.2), Ascent(0), 4, (), (Blur(2, 4),)))
    rough = made(net, [Logit(0)], Recipe("x", Pixels(0.2), Ascent(0), 3, (), (Blur(2, 4),)))
    assert float(smooth.std()) < 0.3 * float(rough.std())
