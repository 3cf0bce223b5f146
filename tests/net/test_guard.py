"""The network is as before whatever its code does in the backward pass, and torch's switches change no number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.utils import checkpoint as checkpointing

import pellucid as pl
from pellucid.errors import BadNetwork, PellucidError, Refused
from pellucid.images import Images
from pellucid.net import Net, Preprocess

A = pl.attribution


def picture(n: int = 1, channels: int = 3) -> Images:
    chance = torch.Generator().manual_seed(1)
    return Images.from_pictures(list(torch.rand(n, channels, 12, 12, generator=chance)), [f"p{i}" for i in range(n)])


class Blocks(nn.Module):
    """Two blocks, the way they are run, and a head."""

    def __init__(self, run: Callable[..., Tensor] = lambda block, x: block(x)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.b = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout())
        self.head, self.run = nn.Linear(6, 3), run

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.run(self.b, self.run(self.a, x)).mean((2, 3)))


def in_sequence(block: nn.Module, x: Tensor) -> Tensor:
    return checkpointing.checkpoint_sequential(block, 2, x, use_reentrant=False)


def nested(block: nn.Module, x: Tensor) -> Tensor:
    def inner(x: Tensor) -> Tensor:
        return checkpointing.checkpoint(block, x, use_reentrant=True)

    return checkpointing.checkpoint(inner, x, use_reentrant=False)


class Again(torch.autograd.Function):
    """A checkpoint of the network's own, as some diffusion models bring it."""

    @staticmethod
    def forward(ctx: Any, block: nn.Module, x: Tensor) -> Tensor:
        ctx.block = block
        ctx.save_for_backward(x)
        with torch.no_grad():
            return block(x)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[None, Tensor]:
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            ctx.block(x).backward(signal)
        return None, x.grad


def state(module: nn.Module) -> dict[str, Any]:
    found: dict[str, Any] = {key: value.clone() for key, value in module.state_dict().items()}
    for name, part in module.named_modules():
        found[f"{name}:attributes"] = [id(value) for value in vars(part).values()]
        found[f"{name}:hooks"] = [len(value) for key, value in vars(part).items() if key.endswith("_hooks")]
        found[f"{name}:training"] = part.training
    for name, p in module.named_parameters():
        found[f"{name}:flag"] = (p.requires_grad, None if p.grad is None else p.grad.clone(), id(p))
    return found


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return str(one) == str(other) and all(
        torch.equal(one[key], other[key]) for key in one if isinstance(one[key], Tensor)
    )


@pytest.mark.parametrize("run", [in_sequence, nested, lambda block, x: Again.apply(block, x)])
def test_code_that_runs_again_during_the_backward_pass(run: Callable[..., Tensor]) -> None:
    module, plain = Blocks(run).train(), Blocks().eval()
    module.a[0].weight.grad = torch.ones_like(module.a[0].weight)
    before = state(module)
    for method, how in ((A.gradient, {}), (A.grad_cam, {"layer": "b.2"}), (A.guided_backprop, {}), (A.lrp, {})):
        right = method(Net(plain, preprocess=Preprocess()), picture(), 1, **how).values

        def ask(method: Callable[..., Any] = method, how: dict[str, Any] = how) -> Any:
            return method(Net(module, preprocess=Preprocess()), picture(), 1, **how).values

        if run in (in_sequence, nested) or method is A.gradient:
            assert np.allclose(ask(), right, atol=1e-7)
        else:  # neither a rule nor a layer's gradient reaches into a function that runs again
            with pytest.raises(Refused, match=r"runs again|does not depend on layer 'b.2'"):
                ask()
        assert equal(before, state(module))
    assert "apply" not in vars(checkpointing.CheckpointFunction)


def test_checkpoints_of_other_threads_go_on() -> None:
    """What is replaced in torch.utils.checkpoint while a pass runs is so for its own thread alone."""
    import threading

    seen = []

    def elsewhere() -> None:
        x = torch.ones(2, requires_grad=True)
        for reentrant in (True, False):
            runs = []
            y = checkpointing.checkpoint(lambda x, runs=runs: runs.append(1) or x.exp() * x, x, use_reentrant=reentrant)
            y.sum().backward()
            seen.append(len(runs))

    def edit(value: Tensor) -> Tensor:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return value

    Net(Blocks(), preprocess=Preprocess()).run(picture().pixels, edit={"a": edit})
    assert seen == [2, 2]


class Notes(nn.Module):
    """Notes down what it saw, counts, and moves a buffer that the next pass uses."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head, self.seen, self.count = nn.Conv2d(3, 4, 3), nn.Linear(4, 2), None, 0
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        self.scale += 1
        self.seen = self.conv(x)
        self.later = self.seen
        return self.head((self.seen * self.scale).relu().mean((2, 3)))


def test_what_a_pass_notes_down_is_gone_and_what_it_counts_is_right() -> None:
    module = Notes()
    x = picture().pixels.requires_grad_()
    (right,) = torch.autograd.grad(module(x)[0, 1], x)
    with torch.no_grad():
        module.scale.fill_(1)
    module.seen = module.later = None
    before = state(module)
    for _ in range(2):
        heat = A.gradient(Net(module, preprocess=Preprocess()), picture(), 1, reduce="signed")
        assert np.allclose(heat.values[0], right[0].sum(0), atol=1e-7)
    assert equal(before, state(module))
    assert module.seen is module.later is None


@pytest.mark.parametrize("norm", [parametrizations.spectral_norm, parametrizations.weight_norm, spectral_norm])
def test_weights_that_are_computed_are_read_without_a_trace(norm: Callable[..., nn.Module]) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    module(torch.rand(2, 3, 8, 8))
    before = state(module.train())
    shown = pl.filters.first_layer(Net(module, preprocess=Preprocess(crop=(8, 8))))
    assert equal(before, state(module))
    module.eval()
    module(torch.rand(1, 3, 8, 8))
    assert np.allclose(np.sort(shown.values, axis=None), module[0].weight.detach().flatten().sort().values, atol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weight_norm_of_the_old_style_is_read_as_the_next_pass_computes_it() -> None:
    module = nn.Sequential(weight_norm(nn.Conv2d(3, 4, 3)), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight_g *= 2  # as an optimizer would: `weight` is still the one of the last pass
    shown = pl.filters.first_layer(Net(module, preprocess=Preprocess(crop=(8, 8))))
    module(torch.rand(1, 3, 8, 8))
    assert np.allclose(np.sort(shown.values, axis=None), module[0].weight.detach().flatten().sort().values, atol=1e-6)


def test_networks_of_ours_are_in_evaluation_mode_and_others_keep_theirs() -> None:
    assert not any(part.training for part in pl.load("bundled").module.modules())
    own = Blocks().train()
    own.b.eval()
    assert pl.load(own).module is own
    assert own.training
    assert own.a.training
    assert not own.b.training


SWITCHES: dict[str, Callable[[], Any]] = {
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "device": lambda: torch.device("meta"),
    "anomaly": torch.autograd.detect_anomaly,
}


@pytest.mark.filterwarnings("ignore:Anomaly")
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("method", ["gradient", "lrp", "grad_cam", "x_grad_cam", "occlusion"])
def test_switches_of_the_caller_change_no_number(switch: str, method: str) -> None:
    how = {"size": 4, "stride": 4} if method == "occlusion" else {}
    net = Net(Blocks(), preprocess=Preprocess(mean=(0.5,), std=(0.2,)))
    right = getattr(A, method)(net, picture(), 1, **how).values
    with SWITCHES[switch]():
        found = getattr(A, method)(net, picture(), 1, **how).values if switch != "device" else None
        if found is None:
            given = (np.random.default_rng(0).random((12, 12, 3)) * 255).astype(np.uint8)
            found = getattr(A, method)(net, given, 1, **how).values
            with torch.device("cpu"):
                right = getattr(A, method)(net, given, 1, **how).values
    assert np.array_equal(found, right)


def test_the_default_type_changes_no_number() -> None:
    net, images = Net(Blocks(), preprocess=Preprocess()), picture()
    right = [
        A.x_grad_cam(net, images, 1).values,
        A.layer_cam(net, images, 1).values,
        A.score_cam(net, images, 1).values,
    ]
    torch.set_default_dtype(torch.float64)
    try:
        found = [
            A.x_grad_cam(net, images, 1).values, A.layer_cam(net, images, 1).values, A.score_cam(net, images, 1).values
        ]  # fmt: skip
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(map(np.array_equal, found, right))


def test_a_network_made_under_inference_mode() -> None:
    right = A.gradient(Net(Blocks(), preprocess=Preprocess()), picture(), 1).values
    with torch.inference_mode():
        module, images = Blocks(), picture()
    before = [(id(p), p.requires_grad) for p in module.parameters()]
    for how in ({}, {"reduce": "l2"}):
        A.gradient(Net(module, preprocess=Preprocess()), images, 1, **how)
    assert np.allclose(A.gradient(Net(module, preprocess=Preprocess()), images, 1).values, right)
    assert before == [(id(p), p.requires_grad) for p in module.parameters()]
    assert all(p.is_inference() for p in module.parameters())


def test_networks_without_weights_are_refused_in_one_line() -> None:
    with pytest.raises(BadNetwork, match=r"LazyLinear.*run one batch"):
        pl.load(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)))
    lazy = Net(nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d()), "lazy", Preprocess(channels=3))
    assert "lazy" in repr(lazy)
    for ask in (lambda: lazy.layers((8, 8)), lambda: lazy.predict(picture())):
        with pytest.raises(BadNetwork, match="no weights yet"):
            ask()
    lazy.module(torch.rand(1, 3, 8, 8))
    assert lazy.run(picture()).output.shape == (1, 4, 10, 10)
    half = Blocks()
    half.head = nn.Linear(6, 3, device="meta")
    for ask in (A.gradient, A.grad_cam, A.occlusion):
        with pytest.raises(BadNetwork, match="meta device"):
            ask(Net(half, preprocess=Preprocess()), picture(), 1)


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_sparse_buffers_are_as_before() -> None:
    class Mixed(Blocks):
        def __init__(self, kind: str) -> None:
            super().__init__()
            eye = torch.eye(3) * 2
            self.register_buffer("mix", eye.to_sparse() if kind == "coo" else eye.to_sparse_csr())

        def forward(self, x: Tensor) -> Tensor:
            return torch.sparse.mm(self.mix, super().forward(x).T).T

    for kind in ("coo", "csr"):
        module = Mixed(kind)
        buffer, net = module.mix, Net(module, preprocess=Preprocess())
        assert np.allclose(
            A.gradient(net, picture(2), 1).values,
            2 * A.gradient(Net(Blocks(), preprocess=Preprocess()), picture(2), 1).values,
        )
        assert module.mix is buffer
        assert net.weights


def test_generators_are_as_before_whatever_a_network_draws_from() -> None:
    class Draws(Blocks):
        def forward(self, x: Tensor) -> Tensor:
            noise = np.random.rand()  # noqa: NPY002
            return super().forward(x) * noise + F.dropout(torch.ones(1, 3), 0.5)

    module = Draws()
    # Python's is not looked at: the checks of types that the tests switch on draw from it too.
    before = str(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    A.gradient(Net(module, preprocess=Preprocess()), picture(2), 1)
    assert before[0] == str(np.random.get_state())  # noqa: NPY002
    assert torch.equal(before[1], torch.get_rng_state())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_quantized_layers_are_refused_by_every_rule() -> None:
    class Gated(Blocks):
        def forward(self, x: Tensor) -> Tensor:
            h = self.a(x)
            return self.head(h.mean((2, 3))).sum(1, keepdim=True) * h.mean((2, 3))

    module = torch.ao.quantization.quantize_dynamic(Gated().eval(), {nn.Linear}, dtype=torch.qint8)
    net = Net(module, preprocess=Preprocess())
    for method in (A.gradient, A.guided_backprop, A.lrp, A.deep_lift, A.full_grad, A.integrated_gradients, A.grad_cam):
        with pytest.raises(PellucidError, match="quanti"):
            method(net, picture(), 1)
    assert A.occlusion(net, picture(), 1, size=4, stride=4).values.any()


class Packed(nn.Module):
    """Keeps nothing of its middle for the backward pass, and runs it again there, by hooks of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3)
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)

        def unpack(index: int) -> Tensor:
            self.modes.append(self.norm.training)
            self.norm(first.detach())
            return saved[index]

        saved: list[Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or len(saved) - 1, unpack):
            made = self.norm(first).relu()
        return self.head(made.mean((2, 3)))


def test_what_unpacks_saved_tensors_finds_the_network_as_in_its_forward_pass() -> None:
    module = Packed().double().train()
    before = {name: value.clone() for name, value in module.norm.state_dict().items()}
    pl.attribution.gradient(Net(module, preprocess=Preprocess()), torch.rand(1, 3, 8, 8).double(), 1)
    assert set(module.modes) == {False}
    assert all(torch.equal(value, before[name]) for name, value in module.norm.state_dict().items())
