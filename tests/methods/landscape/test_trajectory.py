"""The path of a training: every place where its network is, the losses there, and what the plane hides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.loss.weights import weights_of
from pellucid.net import Net
from tests.loss.networks import data, net_of
from tests.loss.test_points import by_hand


def net() -> Net:
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)]
    return net_of(nn.Sequential(*layers))


def path(net: Net, steps: int = 6) -> list[Net]:
    """The networks of a walk that ends at this one."""
    values, found = weights_of(net), [net]
    for _ in range(steps - 1):
        values = {key: one + 0.1 * torch.randn_like(one) for key, one in values.items()}
        found.append(net.with_weights(values))
    return found[::-1]


def flat(net: Net) -> np.ndarray:
    return torch.cat([one.reshape(-1) for one in weights_of(net).values()]).numpy()


@pytest.mark.parametrize("centered", [False, True])
def test_networks_lie_where_they_are_and_the_surface_is_about_the_same_center(centered: bool) -> None:
    """A peer draws centered coordinates over a grid about the last network: then the loss beneath is another's."""
    last = net()
    nets = path(last)
    found = pl.landscape.trajectory(nets, data(), points=5, centered=centered, norms="frozen")
    rows = np.stack([flat(one) for one in nets])
    center = rows.mean(0) if centered else rows[-1]
    _, _, axes = np.linalg.svd(rows - center, full_matrices=False)
    for one, row in zip(found.placed, rows, strict=True):
        c = axes[:2] @ (row - center)
        assert np.abs([one.x, one.y]) == pytest.approx(np.abs(c), abs=1e-9)
        rest = np.linalg.norm(row - center - c @ axes[:2])
        assert one.distance == pytest.approx(rest, abs=1e-9)
        assert one.share == pytest.approx(rest / max(np.linalg.norm(row - center), 1e-12), abs=1e-9)
    where = [np.array([getattr(one, name) for one in found.placed]) for name in "xy"]
    for axis, at in zip(found.axes, where, strict=True):
        assert axis.points[0] < at.min() < at.max() < axis.points[-1]
        assert axis.length == pytest.approx(1)
    signs = [np.sign(found.placed[0].x * (axes[0] @ (rows[0] - center))),
             np.sign(found.placed[0].y * (axes[1] @ (rows[0] - center)))]  # fmt: skip
    x, y = float(found.axes[0].points[1]), float(found.axes[1].points[3])
    there = torch.from_numpy(center + signs[0] * x * axes[0] + signs[1] * y * axes[1])
    shapes = weights_of(last)
    parts = there.split([one.numel() for one in shapes.values()])
    moved = last.with_weights({key: part.view_as(one) for (key, one), part in zip(shapes.items(), parts, strict=True)})
    assert found.losses[0, 3, 1] == pytest.approx(by_hand(moved, [], ())[0], rel=1e-9)
    assert all(check.passed for check in found.checks[0])


@pytest.mark.slow
def test_losses_are_those_of_the_networks_and_not_of_the_plane() -> None:
    last = net()
    nets = path(last)
    found = pl.landscape.trajectory(nets, data(), points=3, norms="frozen")
    for one, other in zip(found.placed, nets, strict=True):
        assert one.loss == pytest.approx(by_hand(other, [], ())[0], rel=1e-9)
    assert found.placed[-1].beneath == pytest.approx(found.placed[-1].loss)
    assert max(abs(one.beneath - one.loss) for one in found.placed) > 1e-3
    assert "nats apart" in found.findings[2]
    assert 0 < found.meta.found["random_plane"] < 0.2
    assert found.meta.found["random_walk"] > sum(found.meta.found["shares"][:2]) - 0.2
    assert [one.group for one in found.placed] == ["path"] * 6


@pytest.mark.slow
def test_files_come_in_the_order_of_their_numbers(tmp_path: Path, read_here: None) -> None:
    last = net()
    nets = path(last, 4)
    for step, one in zip((2, 9, 10, 11), nets, strict=True):
        torch.save(one.module.state_dict(), tmp_path / f"step_{step}.pth")
    by_letters = pl.Nets.of(sorted(str(one) for one in tmp_path.iterdir()), net=last)
    assert by_letters.names[0] == "step_10"
    found = pl.landscape.trajectory(by_letters, data(), points=3)
    assert [one.name for one in found.placed] == ["step_2", "step_9", "step_10", "step_11"]
    assert any("in the order of the numbers" in note.text for note in found.meta.notes)
    turned = pl.Nets.of([str(tmp_path / f"step_{step}.pth") for step in (9, 2, 11)], net=last)
    found = pl.landscape.trajectory(turned, data(), points=3)
    assert [one.name for one in found.placed] == ["step_9", "step_2", "step_11"]
    assert any("not in the order" in note.text for note in found.meta.notes)


def test_what_is_no_path_is_refused() -> None:
    one = net()
    with pytest.raises(
        PellucidError, match="takes three networks of one training at least, these are 1: net"
    ) as caught:
        pl.landscape.trajectory(one, data())
    assert str(caught.value).endswith("name more checkpoints of it, their folder, or a pattern such as 'run/*.pth'")
    with pytest.raises(PellucidError, match="are one place or lie on one line"):
        pl.landscape.trajectory([one, one, one], data())
    other = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    with pytest.raises(PellucidError, match="have no weights in common places"):
        pl.landscape.trajectory([one, other, one], data())


@pytest.mark.slow
def test_statistics_are_collected_anew_on_the_plane_and_at_the_networks() -> None:
    last = net()
    found = pl.landscape.trajectory(path(last), data(), points=3)
    assert found.meta.found["norms"] == "reestimated"
    assert found.placed[-1].loss == pytest.approx(found.placed[-1].beneath)
    plain = net_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    assert pl.landscape.trajectory(path(plain), data(), points=3).meta.found["norms"] == "none"


def test_falls_of_the_learning_rate_are_marked_where_they_happen(tmp_path: Path) -> None:
    rows = [(0, 0.1), (10, 0.1), (20, 0.1), (30, 0.01), (40, 0.01), (50, 0.01)]
    (tmp_path / "log.jsonl").write_text("".join(f'{{"step": {step}, "train/lr": {lr}}}\n' for step, lr in rows))
    nets = [replace(one, name=f"step_{10 * i}") for i, one in enumerate(path(net()))]
    found = pl.landscape.trajectory(nets, data(), points=3, log=tmp_path)
    assert [one.mark for one in found.placed] == ["", "", "lr 0.1 → 0.01", "", "", ""]
    assert found.findings[-1] == "the learning rate falls: lr 0.1 → 0.01 at step_20"
    with pytest.raises(PellucidError, match="does not end in a step"):
        pl.landscape.trajectory(path(net()), data(), points=3, log=tmp_path)
    (tmp_path / "log.jsonl").write_text('{"step": 0, "loss": 1}\n')
    with pytest.raises(PellucidError, match="has no learning rate"):
        pl.landscape.trajectory(nets, data(), points=3, log=tmp_path)
