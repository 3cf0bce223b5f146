"""Trained networks that workers open by name, `benchmarks/trained.py:resnet20`; weights: below $PELLUCID_DATA."""

from __future__ import annotations

import os
from pathlib import Path

from tests.methods.training.networks import cifar
from tests.squeezenet import squeezenet as decoded

from pellucid.net import Net

DATA = "PELLUCID_DATA"


def resnet20() -> Net:
    """ResNet-20 for CIFAR-10."""
    return cifar(lambda path: Path(os.environ[DATA]).parent / path, "resnet20")


def squeezenet() -> Net:
    """SqueezeNet v1.0 for ImageNet."""
    return decoded(Path(os.environ[DATA]) / "weights/squeezenet_v1.0_decoded.npz")
