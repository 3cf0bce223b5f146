"""A network with other weights is what a copy with those weights loaded is, and its module stays as it was."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, weight_norm

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Net, Preprocess
from tests.net.test_guard import Again, Blocks, Notes, equal, picture, state
from tests.test_every_method import photos, tiny

A = pl.attribution


def others(module: nn.Module, seed: int = 5) -> dict[str, Tensor]:
    """Other values for every parameter and buffer of floats."""
    chance = torch.Generator().manual_seed(seed)
    found: dict[int, Tensor] = {}
    tensors = {key: value for key, value in module.state_dict(keep_vars=True).items() if value.is_floating_point()}
    for value in tensors.values():
        noise = torch.rand(value.shape, generator=chance, dtype=value.dtype)
        found.setdefault(id(value), value.detach() * (1 + 0.5 * noise))
    return {key: found[id(value)] for key, value in tensors.items()}


def loaded(net: Net, values: dict[str, Tensor]) -> Net:
    """A copy with the weights written into it."""
    module = copy.deepcopy(net.module)
    module.load_state_dict(module.state_dict() | values)
    return net.with_module(module)


class Tied(nn.Module):
    """A convolution whose filters serve twice, under two names, and a layer that is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)
        self.b.weight = self.a.weight
        self.again = self.c

    def forward(self, x: Tensor) -> Tensor:
        return (self.c(self.a(x)) + self.again(self.b(x).relu())).mean((2, 3))


class Recurrent(nn.Module):
    """Rows of pixels, read one after the other; torch keeps a list of the weights beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(36, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.transpose(1, 2).flatten(2))[0][:, -1])


def old_norm() -> nn.Module:
    with pytest.warns(FutureWarning), torch.no_grad():  # for its weights can be copied without a graph alone
        return nn.Sequential(weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3))


def parametrized() -> nn.Module:
    conv = parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    return nn.Sequential(conv, nn.ReLU(), parametrizations.spectral_norm(nn.Conv2d(4, 4, 3)), nn.Flatten())


class Closure(nn.Module):
    """Its forward pass is a function that has kept a layer, which no copy of the module would find."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.work = lambda x, conv=self.conv: conv(x).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.work(x)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "blocks": Blocks,
    "again": lambda: Blocks(lambda block, x: Again.apply(block, x)),
    "notes": Notes,
    "tied": Tied,
    "recurrent": Recurrent,
    "old weight norm": old_norm,
    "parametrized": parametrized,
    "parallel": lambda: nn.DataParallel(Blocks()),
}


def net_of(module: nn.Module) -> Net:
    return Net(module, "net", Preprocess())


@pytest.mark.parametrize("name", MODULES)
def test_it_is_a_copy_with_those_weights(name: str) -> None:
    net = net_of(MODULES[name]().train())
    before, values = state(net.module), others(net.module)
    changed, copied = net.with_weights(values), loaded(net, values)
    if name != "again":  # whose way of differentiating asks for a graph that is not there
        assert torch.equal(changed.run(picture(2).pixels).output, copied.run(picture(2).pixels).output)
    assert not torch.equal(changed.run(picture(2).pixels).output, net.run(picture(2).pixels).output)
    assert changed.weights == copied.weights != net.weights
    assert changed.identity == copied.identity != net.identity
    assert [row.name for row in changed.layers((12, 12)).rows] == [row.name for row in copied.layers((12, 12)).rows]
    assert np.array_equal(A.gradient(changed, picture(), 1).values, A.gradient(copied, picture(), 1).values)
    assert equal(before, state(net.module))
    assert net_of(net.module).weights == net.weights


def test_a_function_that_keeps_a_layer_has_the_other_weights_too() -> None:
    net = net_of(Closure())
    values = others(net.module)
    with torch.no_grad():
        right = nn.functional.conv2d(picture().pixels, values["conv.weight"], values["conv.bias"]).mean((2, 3))
    assert torch.equal(net.with_weights(values).run(picture().pixels).output, right)


@pytest.mark.parametrize(
    "method", [A.lrp, A.guided_backprop, A.grad_cam, A.deep_lift, A.full_grad], ids=lambda one: one.__name__
)
def test_rules_give_what_they_give_for_the_copy(method: Any) -> None:
    net = tiny()
    values = others(net.module)
    found, right = method(net.with_weights(values), photos(2), 1), method(loaded(net, values), photos(2), 1)
    assert np.array_equal(found.values, right.values)
    assert not np.array_equal(found.values, method(net, photos(2), 1).values)
    assert found.meta.weights == right.meta.weights != net.weights


def test_whoever_reads_weights_reads_those() -> None:
    net = tiny()
    values = others(net.module)
    changed = net.with_weights(values)
    shown, right = pl.filters.first_layer(changed).values, pl.filters.first_layer(loaded(net, values)).values
    assert np.array_equal(shown, right)
    assert not np.array_equal(shown, pl.filters.first_layer(net).values)
    assert torch.equal(dict(changed.module.named_parameters())["head.bias"], values["head.bias"])
    assert dict(changed.module.named_parameters()).keys() == dict(net.module.named_parameters()).keys()
    assert torch.equal(changed.module.state_dict()["stem.1.running_var"], values["stem.1.running_var"])
    with torch.no_grad():
        pixels = torch.rand(2, 3, 32, 32, dtype=torch.float64)
        assert torch.equal(changed.module.eval()(pixels), loaded(net, values).module.eval()(pixels))


def test_gradients_by_the_weights() -> None:
    net, pixels = tiny(), photos(1)
    pixels = net.prepare(pixels).pixels
    weight = net.module.state_dict()["last.weight"].clone().requires_grad_()
    shift = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = net.module.state_dict()["head.bias"] + shift  # no leaf: a point on a line
    run = net.with_weights({"last.weight": weight, "head.bias": bias}).run(pixels, grad=True)
    by_weight, by_shift = run.gradients(run.output[0, 1], [weight, shift])
    assert float(by_shift) == pytest.approx(1.0)
    module = copy.deepcopy(net.module).eval()
    module(net.preprocess.normalize(pixels))[0, 1].backward()
    assert torch.allclose(by_weight, module.last.weight.grad, rtol=1e-12)
    assert weight.grad is None
    assert all(p.grad is None and p.requires_grad for p in net.module.parameters())
    assert not net.with_weights({"last.weight": weight}).run(pixels).output.requires_grad


def test_second_derivatives() -> None:
    net, weight = tiny(), torch.zeros(3, dtype=torch.float64, requires_grad=True)
    run = net.with_weights({"head.bias": weight}).run(net.prepare(photos(2)).pixels, grad=True)
    loss = run.output.exp().sum()
    (slope,) = torch.autograd.grad(loss, weight, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), weight)
    assert torch.allclose(slope, curvature)  # exp is its own derivative
    assert torch.allclose(slope, run.output.exp().sum(0))


def test_some_weights_again_and_others_of_another() -> None:
    net = tiny()
    values = others(net.module)
    first = net.with_weights({"head.weight": values["head.weight"]})
    second = first.with_weights({"head.bias": values["head.bias"].numpy()})
    both = loaded(net, {key: values[key] for key in ("head.weight", "head.bias")})
    pixels = net.prepare(photos(1)).pixels
    assert torch.equal(second.run(pixels).output, both.run(pixels).output)
    assert second.module.original is net.module
    doubled = {key: value.float() for key, value in others(net.module).items()}
    assert net.with_weights(doubled).run(pixels).output.dtype == torch.float32
    values["head.bias"] += 1  # used as they are: what is changed in place is seen
    fresh = net.with_weights(values)
    before = fresh.weights
    values["head.bias"] += 1
    assert fresh.weights != before


def test_what_weights_decide_is_not_shared_and_what_they_do_not_is() -> None:
    net = tiny()
    effective = pl.net.effective.effective(net, "stem", (32, 32))
    ends = net.run(net.prepare(photos(1)).pixels)
    table = net.layers((32, 32))
    changed = net.with_weights(others(net.module))
    assert ends.net is net
    assert changed._cache[32, 32] is table
    assert not [key for key in changed._cache if isinstance(key, tuple) and key[0] == "effective"]
    assert "looks" not in changed._cache
    assert effective is pl.net.effective.effective(net, "stem", (32, 32))
    net.module.stem[0] = nn.Conv2d(3, 8, 5, stride=2, padding=2).double()  # built anew: the table is made anew
    assert changed.layers((32, 32)) is not table


class Gate(nn.Module):
    """Adds the mean over the batch, times a gate that is closed at first."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 2, 3), nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).mean((2, 3))
        return x + self.gate * x.mean(0, keepdim=True)


def test_images_that_mix_with_these_weights_alone_run_one_by_one() -> None:
    net = net_of(Gate())
    assert net.chunk((12, 12), grad=False) > 1
    opened = net.with_weights({"gate": torch.ones(())})
    assert opened.chunk((12, 12), grad=False) == 1
    assert "run one by one" in " ".join(map(str, opened.notes))
    assert net.chunk((12, 12), grad=False) > 1
    assert not net.notes


class Fails(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.limit = nn.Conv2d(3, 2, 3), 10.0

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        if self.conv.bias.abs().max() > self.limit:
            raise RuntimeError("too large")
        return self.conv(x).mean((2, 3))


def test_a_pass_that_fails_leaves_everything_as_it_was() -> None:
    net = net_of(Fails().train())
    before = state(net.module)
    with pytest.raises(PellucidError, match="too large"):
        net.with_weights({"conv.bias": torch.full((2,), 99.0)}).run(picture().pixels)
    assert equal(before, state(net.module))
    assert net.run(picture().pixels).output.shape == (1, 2)


def test_threads_with_other_weights_each_get_their_own() -> None:
    net, pixels = tiny(), tiny().prepare(photos(2)).pixels
    points = [{key: value * (1 + 0.1 * i) for key, value in others(net.module).items()} for i in range(4)]
    right = [loaded(net, values).run(pixels).output for values in points]
    found: list[list[Tensor]] = [[] for _ in points]

    def work(i: int) -> None:
        for _ in range(5):
            found[i].append(net.with_weights(points[i]).run(pixels).output)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(points))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for some, want in zip(found, right, strict=True):
        assert len(some) == 5
        assert all(torch.equal(one, want) for one in some)


def test_the_hash_of_a_network_is_its_own_while_another_thread_runs_it_with_other_weights() -> None:
    net, found = tiny(), list[str]()
    pixels, before = net.prepare(photos(1)).pixels, net.weights
    threads: list[threading.Thread] = []

    def meanwhile(output: Tensor) -> Tensor:
        threads.append(threading.Thread(target=lambda: found.append(net.weights)))
        threads[0].start()
        time.sleep(0.3)
        return output

    net.with_weights(others(net.module)).run(pixels, edit={"stem": meanwhile})
    threads[0].join()
    assert found == [before]


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_what_does_not_fit_is_refused_in_one_line() -> None:
    net = tiny()
    bad: list[tuple[dict[str, Any], type[PellucidError], str]] = [
        ({"head.wieght": torch.zeros(3, 12)}, UnknownName, r"of tiny 'head\.wieght'.*head\.weight"),
        ({"head.bias": torch.zeros(4)}, PellucidError, r"value for 'head\.bias' is 4, that of tiny is 3"),
        ({"head.bias": torch.zeros(3, dtype=torch.int64)}, PellucidError, r"torch\.int64, that of tiny is"),
    ]  # fmt: skip
    for values, kind, words in bad:
        with pytest.raises(kind, match=words):
            net.with_weights(values)
    tied = net_of(Tied())
    one = torch.zeros_like(tied.module.a.weight)
    with pytest.raises(PellucidError, match=r"'a\.weight' and 'b\.weight' are one tensor of the network"):
        tied.with_weights({"a.weight": one, "b.weight": one + 1})
    tied.with_weights({"a.weight": one, "b.weight": one.clone()})
    scripted = net_of(torch.jit.script(nn.Conv2d(3, 2, 3)))
    with pytest.raises(Refused, match="TorchScript"):
        scripted.with_weights({"weight": torch.zeros(2, 3, 3, 3)})
    changed = net_of(parametrized())
    with parametrize.cached(), pytest.raises(Refused, match="leave that block first"):
        changed.with_weights({"0.bias": torch.zeros(4)}).run(picture().pixels)
    gone = tiny()
    kept = gone.with_weights({"head.bias": torch.zeros(3, dtype=torch.float64)})
    gone.module.head = nn.Identity()
    with pytest.raises(PellucidError, match=r"no tensor 'head\.bias' any more"):
        kept.run(net.prepare(photos(1)).pixels)


def test_copies_and_devices() -> None:
    net = tiny()
    values = others(net.module)
    changed, pixels = net.with_weights(values), net.prepare(photos(1)).pixels
    again = changed.with_module(copy.deepcopy(changed.module))
    assert torch.equal(again.run(pixels).output, changed.run(pixels).output)
    assert again.module.original is not net.module
    wide = changed.with_module(copy.deepcopy(changed.module).float())
    assert wide.run(pixels).output.dtype == torch.float32
    assert torch.equal(changed.run(pixels).output, loaded(net, values).run(pixels).output)
    assert repr(changed) == repr(net)
    assert repr(changed.module).startswith("Tiny(")


def test_weights_from_a_file_go_into_a_copy_of_it(tmp_path: Any) -> None:
    from safetensors.torch import save_file

    net = tiny()
    save_file({key: value.clone() for key, value in net.module.state_dict().items()}, tmp_path / "x.safetensors")
    changed = net.with_weights(others(net.module))
    back = pl.load(changed, weights=tmp_path / "x.safetensors")
    assert back.weights == net.weights != changed.weights


def test_a_gradient_flows_to_buffers_that_ask_for_one() -> None:
    """A pass has copies of buffers; without a way back to them their gradient would be nothing, and no word of it."""

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", torch.ones(3, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            return (x * self.scale).sum((2, 3))

    scaled = Net(Scale(), preprocess=Preprocess(crop=(8, 8)))
    scale = torch.ones(3, 1, 1, requires_grad=True)
    x = torch.rand(2, 3, 8, 8)
    run = scaled.with_weights({"scale": scale}).run(x, grad=True)
    (found,) = scaled.gradients(run.output.sum(), [scale])
    prepared = scaled.preprocess.normalize(x)
    assert torch.allclose(found.flatten(), prepared.sum((0, 2, 3)), rtol=1e-5)
