"""One forward pass: what it hands out, and that it leaves nothing behind."""

from __future__ import annotations

import copy
import gc
import os
import threading
from collections import namedtuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import BadNetwork, PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.net.rules.rectifiers import Guided
from tests.networks import TOPOLOGIES, InPlace, PostActivation, Shared, seeded


def pixels(n: int = 2, size: int = 9, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def hooks(module: nn.Module) -> int:
    return sum(len(getattr(part, name)) for part in module.modules() for name in vars(part) if name.endswith("_hooks"))


class Rude(nn.Module):
    """Trains in evaluation, counts in a buffer, replaces a buffer, draws random numbers, fails when told."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(1))
        self.fail = False

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = torch.ones(1) * 7
        h = F.batch_norm(self.conv(x), self.norm.running_mean, self.norm.running_var, training=True)
        h = F.dropout(self.drop(h), 0.1, training=True)
        if self.fail:
            raise ValueError("told to\nfail")
        return h.mean((2, 3))


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("grad", [False, True])
def test_everything_is_as_before(fail: bool, grad: bool) -> None:
    module = Rude().double().train()
    module.conv.eval()
    module.conv.weight.requires_grad_(False)
    module.norm.weight.grad = torch.ones(4).double()
    module.fail = fail
    state = copy.deepcopy(module.state_dict())
    identity = {name: id(buffer) for name, buffer in module.named_buffers()}
    flags = [(part.training, hooks(part)) for part in module.modules()]
    needs = [(p.requires_grad, None if p.grad is None else p.grad.clone()) for p in module.parameters()]
    rng, mode = torch.get_rng_state(), torch.is_grad_enabled()

    net = Net(module, preprocess=Preprocess())
    if fail:
        with pytest.raises(BadNetwork, match=r"failed on an input of .×3×9×9: ValueError: told to fail"):
            net.run(pixels(), layers=["conv", "norm"], edit={"conv": lambda a: a}, rule=Guided(), grad=grad)
    else:
        net.run(pixels(), layers=["conv"], edit={"conv": lambda a: a * 2}, rule=Guided(), grad=grad)

    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert identity == {name: id(buffer) for name, buffer in module.named_buffers()}
    assert flags == [(part.training, hooks(part)) for part in module.modules()]
    for (need, grad_before), p in zip(needs, module.parameters(), strict=True):
        assert p.requires_grad == need
        assert p.grad is None if grad_before is None else torch.equal(p.grad, grad_before)
    assert torch.equal(rng, torch.get_rng_state())
    assert torch.is_grad_enabled() == mode


def test_a_tap_is_safe_from_what_follows_in_place() -> None:
    """Trap T6: an in-place rectifier or sum rewrites what was saved before it."""
    module = seeded(InPlace)
    x = pixels()
    run = Net(module, preprocess=Preprocess()).run(x, layers=["a", "b", "c"])
    assert torch.equal(run["a"], module.a(x))
    assert run["a"].min() < 0
    module = seeded(PostActivation)
    run = Net(module, preprocess=Preprocess()).run(x, layers=["b"])
    assert torch.equal(run["b"], module.b(F.relu(module.a(x))))


def test_gradient_at_a_layer_is_that_of_its_output() -> None:
    module = seeded(PostActivation)
    x = pixels(1)
    with torch.enable_grad():
        run = Net(module, preprocess=Preprocess()).run(x, layers=["b", "a"], grad=True)
        to_b, to_a = torch.autograd.grad(run.output[0, 1], [run["b"], run["a"]])
    a = module.a(x).detach().requires_grad_()
    h = F.relu(a)
    b = module.b(h)
    b.retain_grad()
    module.head(F.relu(module.c(F.relu(b + h))).mean((2, 3)))[0, 1].backward()
    assert torch.allclose(to_a, a.grad, atol=1e-15)  # type: ignore[arg-type]
    assert torch.allclose(to_b, b.grad, atol=1e-15)  # type: ignore[arg-type]


def test_calls_of_a_shared_layer() -> None:
    module = seeded(Shared)
    x, net = pixels(), Net(seeded(Shared), preprocess=Preprocess())
    run = net.run(x, layers=["act#2", "act#1"])
    assert torch.equal(run["act#1"], F.relu(module.a(x)))
    assert torch.equal(run["act#2"], F.relu(module.b(run["act#1"])))
    with pytest.raises(UnknownName, match="'act' runs 3 times in a pass: say which, act#1 to act#3"):
        net.run(x, layers=["act"])
    with pytest.raises(UnknownName, match="no call 'act#4': layer 'act' runs 3 times"):
        net.run(x, layers=["act#4"])


def test_unknown_and_unused_layers() -> None:
    module = seeded(TOPOLOGIES["functional"])
    net = Net(module, preprocess=Preprocess())
    with pytest.raises(UnknownName, match="no layer 'haed'; nearest of 5: head"):
        net.run(pixels(), layers=["haed"])
    with pytest.raises(UnknownName, match="'act' exists but took no part"):
        net.run(pixels(), layers=["act"])


def test_edits_change_what_follows() -> None:
    module = seeded(TOPOLOGIES["module"])
    net = Net(module, preprocess=Preprocess())
    run = net.run(pixels(), edit={"act3": torch.zeros_like}, layers=["act3"])
    assert torch.equal(run.output, module.head.bias.expand(2, -1))
    assert not run["act3"].any()


Named = namedtuple("Named", "logits aux")


class Many(nn.Module):
    """Returns what it is told to."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> object:
        logits, aux = x.mean((2, 3)), x.sum((2, 3))
        return {
            "dict": {"logits": logits, "aux": aux},
            "tuple": (aux, logits),
            "named": Named(logits, aux),
            "nested": {"out": [aux, logits]},
            "nothing": None,
        }[self.kind]


@pytest.mark.parametrize(
    ("kind", "selector"),
    [("dict", "logits"), ("tuple", "1"), ("named", "logits"), ("named", "0"), ("nested", "out.1")],
)
def test_outputs_are_selected_by_name(kind: str, selector: str) -> None:
    x = pixels()
    assert torch.equal(Net(Many(kind), preprocess=Preprocess(), output=selector).run(x).output, x.mean((2, 3)))


@pytest.mark.parametrize(
    ("kind", "selector", "error", "message"),
    [
        (
            "dict",
            None,
            Refused,
            "returns a dict of logits, aux: say which with output=, for example output='logits'",
        ),
        ("tuple", None, Refused, "returns a tuple of 2: say which"),
        ("named", None, Refused, "a tuple of logits, aux"),
        ("nothing", None, Refused, "returns a NoneType"),
        ("dict", "logit", UnknownName, "no output 'logit' in what network returns: a dict of logits, aux"),
        ("tuple", "7", UnknownName, "no output '7'"),
        ("nested", "out", Refused, "returns a tuple of 2"),
    ],
)
def test_outputs_that_cannot_be_explained(
    kind: str, selector: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        assert Net(Many(kind), preprocess=Preprocess(), output=selector).run(pixels()).output.numel()


def test_pixels_are_checked() -> None:
    net = Net(seeded(TOPOLOGIES["module"]), preprocess=Preprocess())
    with pytest.raises(PellucidError, match="pixels have 1 channels, network takes 3"):
        net.run(torch.zeros(1, 1, 9, 9))
    with pytest.raises(PellucidError, match="shape \\(3, 9, 9\\)"):
        net.run(torch.zeros(3, 9, 9))
    with pytest.raises(PellucidError, match="NaN"):
        net.run(torch.full((1, 3, 9, 9), float("nan")))


def test_one_logit_is_yes_or_no() -> None:
    class Score(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((1, 2, 3), keepdim=True)[:, :, 0, 0] * 4 - 1

    net = Net(Score(), labels=Labels.plain(["healthy", "ill"]), preprocess=Preprocess())
    image = Images.from_pictures([torch.full((3, 4, 4), 0.5)], ["x"])
    ill, healthy = net.predict(image).ranked[0]
    assert (ill.label, healthy.label) == ("ill", "healthy")
    assert ill.logit == 1.0 == -healthy.logit
    assert ill.probability == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item())
    assert ill.probability + healthy.probability == pytest.approx(1)


def test_weights_hash_follows_the_module() -> None:
    module = seeded(TOPOLOGIES["module"])
    net = Net(module)
    first = net.weights
    assert first == net.weights == Net(copy.deepcopy(module)).weights
    with torch.no_grad():
        module.head.bias[0] += 1
    second = net.weights
    module.head.bias.data[0] += 1  # leaves no trace in the tensor's version
    assert len({first, second, net.weights}) == 3
    assert len(first) == 64


def test_a_remembering_net_runs_once_for_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    module = seeded(TOPOLOGIES["module"])
    runs, plain = [], type(module).forward
    monkeypatch.setattr(type(module), "forward", lambda self, x: runs.append(len(x)) or plain(self, x))
    net = Net(module, preprocess=Preprocess())
    twice = net.cached()
    twice.layers((9, 9))  # the table that tells how much memory a run takes is made by a run of its own
    runs.clear()
    for x in (pixels(), pixels().clone(), pixels(seed=1)):
        assert torch.equal(twice.run(x).output, net.run(x).output)
    assert len(runs) == 2 + 3
    twice.run(pixels(), layers=["head"])
    twice.run(pixels(), grad=True)
    twice.run(pixels().float())
    assert len(runs) == 2 + 3 + 3
    net.run(pixels())
    assert len(runs) == 9


def test_a_net_introduces_itself_in_one_line() -> None:
    net = Net(seeded(TOPOLOGIES["module"]), "toy", labels=Labels.plain(["a", "b", "c", "d"]))
    assert repr(net) == "Net('toy', ModuleRelu with 856 parameters, 4 classes)"


@pytest.mark.slow
def test_four_threads_on_one_network() -> None:
    """300 calls each, taps, edits and rules mixed: every answer is the one it gives alone."""
    module = seeded(Shared)
    net = Net(module, preprocess=Preprocess())
    x = [pixels(1, seed=i) for i in range(4)]

    def answer(i: int) -> list[Tensor]:
        with torch.enable_grad():
            leaf = x[i].clone().requires_grad_()
            rule = Guided() if i % 2 else None
            edit = {"a": lambda a: a * 2} if i == 2 else {}
            run = net.run(leaf, layers=[f"act#{i % 3 + 1}"], rule=rule, edit=edit, grad=True)
            return [
                run.output.detach(),
                next(iter(run.at.values())).detach(),
                *torch.autograd.grad(run.output[0, 0], leaf),
            ]

    alone = [answer(i) for i in range(4)]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(300):
            if not all(torch.equal(a, b) for a, b in zip(answer(i), alone[i], strict=True)):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert hooks(module) == 0


def test_two_nets_around_one_module_share_its_lock() -> None:
    from pellucid.net.tap import lock_of

    module = seeded(Shared)
    assert lock_of(module) is lock_of(Net(module).module)
    assert lock_of(module) is not lock_of(seeded(Shared))


def _run_cache() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc to see memory")
def test_hundreds_of_calls_leave_nothing() -> None:
    module = seeded(Shared)
    net, x = Net(module, preprocess=Preprocess()), pixels(1, 33)

    def call() -> None:
        with torch.enable_grad():
            leaf = x.clone().requires_grad_()
            run = net.run(leaf, layers=["act#2"], rule=Guided(), grad=True)
            torch.autograd.grad(run.output[0, 0], leaf)

    for _ in range(100):
        call()
    gc.collect()
    before = hooks(module), threading.active_count(), len(os.listdir("/proc/self/fd")), _run_cache()
    for _ in range(300):
        call()
    gc.collect()
    after = hooks(module), threading.active_count(), len(os.listdir("/proc/self/fd")), _run_cache()
    assert after[:3] == before[:3]
    assert after[3] <= before[3] * 1.05


@pytest.mark.parametrize("stop", [False, True])
def test_networks_that_switch_gradients_on_leave_none(stop: bool) -> None:
    """Whoever differentiates in forward by itself must not fill .grad of the parameters, nor hand out its graph."""

    class Willful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                self.a(x).square().sum().backward()
            return self.b(self.a(x + x.grad)).mean((2, 3))

    net = Net(Willful().double(), preprocess=Preprocess())
    run = net.run(pixels(), layers=["a#2", "b"], stop=stop)
    assert not run["b"].requires_grad
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.module.parameters())
