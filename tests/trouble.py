"""A folder in which everything goes wrong that goes wrong in a first hour, and how to bring it about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.images.test_science import dicom

_NETWORKS = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, given="scores"):
        super().__init__()
        self.given, self.conv, self.head = given, nn.Conv2d(3, 4, 3, 2), nn.Linear(4, 3)
    def forward(self, x):
        features = self.conv(x).relu()
        scores = self.head(features.mean((2, 3)))
        found = {"scores": scores, "two": {"cats": scores, "dogs": -scores}, "text": "cat", "stopped": scores.detach()}
        return found[self.given]

class Full(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

def net(): return Own()
def full(): return Full()
def two(): return Own("two")
def text(): return Own("text")
def stopped(): return Own("stopped")
def fixed(): return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 26 * 26, 2))
def gray(): return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
"""


def folder(root: Path) -> None:
    """Images, networks and weights of which each is wrong in its own way."""
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (40, 40, 3), np.uint8)).save(root / "dog.jpg")
    Image.fromarray(random.normal(size=(40, 40)).astype(np.float32)).save(root / "floats.tif")
    (root / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    (root / "scan.dcm").write_bytes(dicom(np.zeros((40, 40), np.uint16)))
    (root / "notes.jpg").write_text("no image at all\n")
    (root / "empty").mkdir()
    (root / "model.py").write_text(_NETWORKS)
    made: dict[str, Callable[[], nn.Module]] = {}
    exec(_NETWORKS, made)
    torch.save(nn.Linear(2, 2), root / "whole.pt")
    torch.save(made["gray"]().state_dict(), root / "other.pt")
    (root / "two.txt").write_text("cat\ndog\n")
    (root / "stranger").mkdir()
    (root / "stranger" / "model.py").write_text(_NETWORKS)
    (root / "stranger" / "pellucid.toml").write_text('network = "model.py:net"\n')


NET = ("--net", "model.py:net")
SHELL = {
    "no file": ("predict", "dgo.jpg"),
    "no image in a folder": ("predict", "empty/"),
    "no image": ("predict", "notes.jpg"),
    "heic": ("predict", "phone.heic"),
    "floats": ("predict", "floats.tif", *NET),
    "command": ("gradcam", "dog.jpg"),
    "option": ("grad-cam", "dog.jpg", "--layr", "conv"),
    "layer": ("grad-cam", "dog.jpg", *NET, "--layer", "conv1"),
    "class": ("grad-cam", "dog.jpg", "--target", "goldfsh"),
    "no places": ("grad-cam", "dog.jpg", *NET, "--layer", "head"),
    "function": ("predict", "dog.jpg", "--net", "model.py:nte"),
    "no network": ("predict", "dog.jpg", "--net", "resnet50"),
    "raw units": ("predict", "dog.jpg", *NET, "--mean", "124,116,104", "--std", "58,57,57"),
    "unstated": ("predict", "dog.jpg", *NET),
    "size": ("predict", "dog.jpg", "--net", "model.py:fixed", "--input-size", "32"),
    "channels": ("predict", "dog.jpg", *NET, "--channels", "4"),
    "pickled": ("predict", "dog.jpg", *NET, "--weights", "whole.pt"),
    "other weights": ("predict", "dog.jpg", *NET, "--weights", "other.pt"),
    "labels": ("predict", "dog.jpg", *NET, "--labels", "two.txt"),
    "several outputs": ("predict", "dog.jpg", "--net", "model.py:two"),
    "no numbers": ("predict", "dog.jpg", "--net", "model.py:text"),
    "no gradient": ("grad-cam", "dog.jpg", "--net", "model.py:stopped", "--layer", "conv"),
    "no GPU": ("predict", "dog.jpg", "--device", "cuda"),
    "no index": ("page", "photos.index", "conv:1"),
    "suffix": ("grad-cam", "dog.jpg", "--out", "dog.bmp"),
    "dropout": ("uncertainty", "dog.jpg", *NET),
    "stranger": ("predict", "../dog.jpg"),
    "memory": ("predict", "dog.jpg", "--net", "model.py:full"),
    "extra": ("predict", "scan.dcm"),
}
