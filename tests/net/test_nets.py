"""Several networks, and checkpoints of one, under names of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pellucid.errors import BadNetwork, PellucidError
from pellucid.net import Net
from pellucid.net.load import load
from pellucid.net.nets import Nets
from tests.test_every_method import photos, tiny


def saved(root: Path, numbers: tuple[int, ...] = (1, 2, 10)) -> Path:
    root.mkdir()
    for number in numbers:
        values = {key: value.clone() for key, value in tiny().module.state_dict().items()}
        values["head.bias"] = torch.full((3,), float(number), dtype=torch.float64)
        if number == 2:  # as torch saves what DataParallel has wrapped
            torch.save({"state_dict": {f"module.{key}": value for key, value in values.items()}}, root / "w2.pth")
        else:
            save_file(values, root / f"w{number}.safetensors")
    return root


@pytest.mark.usefixtures("read_here")
def test_checkpoints_of_one_network_share_its_module(tmp_path: Path) -> None:
    place, net = saved(tmp_path / "run"), tiny()
    pixels = net.prepare(photos(1)).pixels
    plain, before = net.run(pixels).output - net.module.head.bias, net.weights
    files = [place / "w1.safetensors", place / "w2.pth", place / "w10.safetensors"]
    for value in (place, str(place), f"{place}/w*", files, [str(one) for one in files]):
        nets = Nets.of(value, net=net)
        assert nets.names == ("w1", "w2", "w10")
        for number, one in zip((1, 2, 10), nets, strict=True):
            assert torch.allclose(one.run(pixels).output, plain + number)
            assert one.module.original is net.module
    assert nets[1].said == ("weights fit without module in the names of 'w2.pth'",)
    assert len({one.weights for one in nets}) == 3
    assert net.weights == before
    assert Nets.made(files, net).net is net
    assert Nets.made(Nets.of(files), net)[0].name == "w1"
    assert (nets.network, Nets.of(net).network) == (net, net)


def test_networks_and_checkpoints_in_one_list(tmp_path: Path) -> None:
    place, net = saved(tmp_path / "run"), tiny()
    nets = Nets.of([net, place / "w1.safetensors", "bundled", net], net=net)
    assert nets.names == ("1 · tiny", "w1", "bundled", "4 · tiny") or nets.names[2].startswith("efficientnet")
    assert [one.name for one in nets] == list(nets.names)
    assert (len(nets), str(nets)) == (4, ", ".join(nets.names))
    assert Nets.of(tiny().module).names == ("Tiny",)
    assert Nets.of(nets) is nets


@pytest.mark.usefixtures("read_here")
def test_a_mapping_says_what_each_is_called(tmp_path: Path) -> None:
    net = tiny()
    nets = Nets.of({"plain": net, "again": net.module})
    assert nets.names == ("plain", "again")
    assert nets[1].weights == net.weights
    with pytest.raises(
        PellucidError, match=r"^'all' names no single network; checkpoints have the names of their files"
    ):
        Nets.of({"all": str(saved(tmp_path / "run"))}, net=net)


@pytest.mark.slow
def test_numbers_of_another_type_are_converted(tmp_path: Path) -> None:
    net = Net(tiny().module.float(), "tiny", tiny().preprocess)
    (one, *_) = Nets.of(saved(tmp_path / "run"), net=net)
    assert one.run(net.prepare(photos(1)).pixels).output.dtype == torch.float32


@pytest.mark.slow
def test_identity_facts_and_text(tmp_path: Path) -> None:
    place, net = saved(tmp_path / "run"), tiny()
    nets = Nets.of(f"{place}/*", net=net)
    other = Net(nn.Sequential(nn.Conv2d(3, 3, 3), nn.Flatten()), "other", net.preprocess)
    (tmp_path / "whole").mkdir()
    assert Nets.of(saved(tmp_path / "whole/checkpoints").parent).names == nets.names, "the folder of a training run"
    for one, other in zip(nets, nets.opened(), strict=True):
        assert one.identity == other.identity
    assert [nets.opened().names, nets.opened(1)] == [nets.names, nets]
    several = [nets, Nets.of(place), Nets.of([place / "w10.safetensors", place / "w2.pth"], net=net), Nets.of([net]),
               Nets.of([net, other]), Nets.of([other, net])]  # fmt: skip
    assert len({one.identity for one in several}) == len(several)
    assert Nets.of(nets.plain(), net=net).identity == nets.identity
    assert nets.facts() == {"nets": ("w1", "w2", "w10"), "of": "tiny"}
    assert Nets.of(["bundled"]).plain() == ["bundled"]
    stretched = Nets.of(["bundled"], size=192)
    assert stretched.plain() == [{"spec": "bundled", "size": 192}]
    assert Nets.of(stretched.plain()).identity == stretched.identity
    weighed = Nets.of(place, net=load("bundled")).plain()
    assert weighed == {"each": [str(one.path) for one in nets.each], "of": {"spec": "bundled"}}
    assert Nets.of(weighed).net.name == "bundled"
    with pytest.raises(PellucidError, match="in memory only: name them by text"):
        Nets.of([net]).plain()
    before = nets.identity
    (place / "w10.safetensors").write_bytes((place / "w1.safetensors").read_bytes() + b" ")
    assert nets.identity != before
    net.chunk((32, 32), grad=True)
    assert nets.halve() is True


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    place = saved(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    for value, words in (
        ([], "no networks: the list is empty"),
        (tmp_path / "empty", r"no checkpoints in .*empty': files ending in \.safetensors, \.pth.* or \.pickle"),
        (f"{place}/x*.pth", r"no checkpoint matches .*x\*\.pth': name their folder, or files ending in \.safetensors"),
        ("nosuchnet", "no network 'nosuchnet'"),
    ):
        with pytest.raises(PellucidError, match=words):
            Nets.of(value)
    with pytest.raises(
        BadNetwork, match=r"w1\.safetensors' holds weights, which are no architecture: say of which"
    ) as it:
        Nets.of(place)[0]
    assert str(it.value).endswith("which network they are, such as Nets.of(…, net='model.py:net')")
    with pytest.raises(BadNetwork, match=r"no checkpoint .*gone\.pth"):
        Nets.of([place / "gone.pth"]).identity  # noqa: B018
    other = Net(nn.Sequential(nn.Conv2d(3, 3, 3), nn.Flatten()), "other")
    with pytest.raises(BadNetwork, match=r"w1\.safetensors' (holds|does not fit)"):
        Nets.of(place, net=other)[0]
