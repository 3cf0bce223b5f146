"""Real architectures with random weights: rules are complete on them, every method answers or says why not."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.catalogue import entries
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from pellucid.result.coverage import uncovered
from pellucid.target import Target
from tests.test_every_method import QUICK, numbers

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning:timm")]

SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
CLASS = 1
ZOO = [
    "torchvision:resnet50", "torchvision:vgg16", "torchvision:densenet121", "torchvision:inception_v3",
    "torchvision:googlenet", "torchvision:mobilenet_v3_large", "torchvision:efficientnet_b0",
    "torchvision:convnext_tiny", "timm:nf_regnet_b0", "timm:ghostnet_100", "timm:xception41p",
    "timm:hrnet_w18_small", "timm:resnest14d", "timm:convnextv2_atto", "timm:repvgg_a0",
]  # fmt: skip
REFUSED: dict[str, dict[str, str]] = {
    "cam": dict.fromkeys(
        ("vgg16", "inception_v3", "mobilenet_v3_large", "convnext_tiny", "convnextv2_atto", "ghostnet_100"),
        "; use grad_cam",
    )
}
"""method -> network -> what the refusal says. Everything else answers."""
_BY_WINDOW = ("occlusion", "occlusion_labels", "occlusion_products", "occlusion_rank")
QUICKER: dict[str, dict[str, Any]] = {
    **{name: {"size": 16, "stride": 16} for name in _BY_WINDOW},
    "occlusion_sizes": {"sizes": (24, 32)},
    "extremal_perturbation": {"steps": 2},
    "sobol": {"grid": 2, "samples": 2},
}
FORWARD_ONLY = (
    *_BY_WINDOW, "occlusion_sizes", "extremal_perturbation", "sobol", "rise", "lime", "kernel_shap", "shapley_sampling",
    "integrated_gradients", "expected_gradients", "guided_integrated_gradients", "blur_integrated_gradients", "xrai",
)  # fmt: skip
"""They run the network, or take its gradient, on other images and look at nothing inside: one network is enough."""
BY_CHANNEL = ("ablation_cam", "score_cam")
"""One run of the network for each channel of a layer: one of few channels is asked for."""


@pytest.fixture(scope="module", params=ZOO)
def name(request: pytest.FixtureRequest) -> str:
    """One network after another: the tests of each run in turn."""
    found: str = request.param
    return found


def size(name: str) -> int:
    return 96 if "inception" in name else 64


def built(name: str) -> nn.Module:
    """The architecture, or skipped by name where its library is absent."""
    library, model = name.split(":")
    torch.manual_seed(0)
    if library == "timm":
        module: nn.Module = pytest.importorskip("timm").create_model(model, num_classes=10)
        return module
    how: dict[str, Any] = {"init_weights": True, "aux_logits": False} if model in ("googlenet", "inception_v3") else {}
    module = pytest.importorskip("torchvision.models").get_model(model, weights=None, num_classes=10, **how)
    if model == "vgg16":  # half a gigabyte of fully connected weights would be most of this test's time
        module.classifier[0], module.classifier[3] = nn.Linear(25088, 256), nn.Linear(256, 256)
        module.classifier[6] = nn.Linear(256, 10)
    return module


@functools.lru_cache(maxsize=1)  # fifteen networks at once are gigabytes
def calibrated(name: str) -> nn.Module:
    """Scales, biases and statistics such as training leaves: nothing is zero, and the logits do not vanish."""
    with torch.random.fork_rng(devices=[]):
        module = built(name).double()
        for path, parameter in module.named_parameters():
            last = path.rpartition(".")[2]
            if last == "bias":
                parameter.data.normal_(0, 0.1)
            elif parameter.dim() == 1 or "scale" in last or "gamma" in last or "grn" in path:
                parameter.data.normal_(1, 0.1)  # norms, and the scales of branches, some of which begin as nothing
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.train()
                part.momentum = 1.0
            else:
                part.training = False
        with torch.no_grad():
            module(torch.randn(16, 3, size(name), size(name), dtype=torch.float64))
    return module.eval()


def twin(name: str) -> nn.Module:
    """The same without biases: what it computes is proportional to the pixels, up to norms."""
    module = built(name).double()
    module.load_state_dict(calibrated(name).state_dict())
    for path, value in [*module.named_parameters(), *module.named_buffers()]:
        if path.rpartition(".")[2] in ("bias", "running_mean"):
            value.data.zero_()
    return module.eval()


def picture(name: str) -> Images:
    generator = torch.Generator().manual_seed(4)
    return Images.from_pictures(
        [torch.rand(3, size(name), size(name), dtype=torch.float64, generator=generator)], ["a"]
    )


def test_rules_are_complete(name: str) -> None:
    strict = {"composite": "epsilon", "classifier": "epsilon:1e-12", "features": "epsilon:1e-12"}
    with torch.random.fork_rng(devices=[]):
        without_biases = Net(twin(name), preprocess=SHIFTED)
    net, image = Net(calibrated(name), preprocess=SHIFTED), picture(name)
    heats = {
        "lrp": pl.attribution.lrp(without_biases, image, CLASS, **strict),
        "deep_lift": pl.attribution.deep_lift(net, image, CLASS),
        "full_grad": pl.attribution.full_grad(net, image, CLASS),
        "excitation": pl.attribution.excitation_backprop(net, image, CLASS, contrastive=False),
    }
    errors = {kind: heat.meta.completeness[0] for kind, heat in heats.items() if kind != "excitation"}
    for kind, heat in heats.items():
        assert not uncovered(heat.meta.coverage), (kind, heat.meta.coverage)
        assert not any("no rule" in note for note in heat.meta.said), kind
    assert (
        min(abs(heats[kind].meta.score[0]) for kind in ("lrp", "full_grad")) > 1e-4
    )  # what is shared out is something
    assert errors["lrp"] < 1e-4
    assert errors["deep_lift"] < 1e-3
    assert errors["full_grad"] < 1e-3
    assert np.allclose(heats["full_grad"].array.sum(), heats["full_grad"].meta.score[0], rtol=1e-3, atol=1e-6)
    assert heats["excitation"].array.sum() <= 1 + 1e-6


def quick(method: str, net: Net, name: str) -> dict[str, Any]:
    if method in BY_CHANNEL:
        rows = [row for row in net.layers((size(name), size(name))).rows if row.spatial and row.placement is not None]
        few = max(64, min(row.shape[0] for row in rows))
        return {"layer": [row.name for row in rows if row.shape[0] <= few][-1]}
    return (QUICK | QUICKER).get(method, {})


def test_every_method_answers_or_refuses_in_a_line(name: str) -> None:
    module = built(name)
    module.load_state_dict(calibrated(name).state_dict())
    net = Net(module.float().eval(), preprocess=SHIFTED)
    image = Images.from_pictures([part.float() for part in picture(name).pictures], ["a"])
    given = {Net: net, Images: image, Target: CLASS}
    wrong = []
    for entry in entries():
        if entry.chapter != "attribution" or (entry.name in FORWARD_ONLY and name != ZOO[-1]):
            continue
        expected = REFUSED.get(entry.name, {}).get(name.partition(":")[2])
        try:
            result = entry.function(**entry.placed(given), **quick(entry.name, net, name))
        except PellucidError as error:
            if expected is None or expected not in str(error) or "\n" in str(error):
                wrong.append(f"{entry.name} refused: {error}")
        else:
            if expected is not None:
                wrong.append(f"{entry.name} answered")
            if not np.isfinite(numbers(result)).all():
                wrong.append(f"{entry.name} is not finite")
    assert not wrong, "\n".join(wrong)
