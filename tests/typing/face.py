"""The public face as a caller writes it, for type checkers alone: every line marked `refused` is wrong, no other is.

It is read by mypy and pyright (`test_typing.py`) and never run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.draw import Picture
from pellucid.images.sources import Source
from pellucid.methods.units import Index
from pellucid.net import Labels, Layer, Run
from pellucid.result import Explanation, Panel, Pictures, Prediction, Predictions, Table
from pellucid.target import Logit, Target

module = nn.Sequential(nn.Conv2d(3, 8, 3))

# networks
net = assert_type(pl.load("bundled"), pl.Net)
assert_type(pl.load(module, size=(224, 224), mean=0.5, labels=["cat", "dog"], scores="logits"), pl.Net)
pl.load(Path("net.py:make"), weights="x.safetensors", labels=Labels.plain(["cat"]), output="logits")
pl.load(3)  # refused
pl.load()  # refused
pl.load("bundled", siz=224)  # refused
pl.load("bundled", size="large")  # refused
pl.load("bundled", scores="probs")  # refused
assert_type(pl.Net.of(module), pl.Net)
pl.Net.of(3)  # refused

# images
images = assert_type(pl.read("dog.jpg"), pl.Images)
assert_type(pl.Images.of(["a.jpg", Path("b.jpg")]), pl.Images)
pl.Images.of(np.zeros((2, 2, 3), np.uint8))
pl.Images.of([Image.new("RGB", (4, 4)), torch.zeros(3, 4, 4), b"..."])
pl.read(np.zeros((3, 8, 8)), layout="chw", value_range=(0, 1))
pl.Images.of(3)  # refused
pl.read("dog.jpg", layout="hcw")  # refused
assert_type(images[0], pl.Images)

# a run
run = assert_type(net.run(images, layers=["features.3"], grad="pixels"), Run)
assert_type(run["features.3"], Tensor)
net.run(images, layers=3)  # refused
net.run("dog.jpg")  # refused
net.run(images, edit={"features.3": lambda x: x * 0})
net.run(images, grad="inputs")  # refused
assert_type(net.layer("features.3"), Layer)

# what it predicts
assert_type(net.predict("dog.jpg", 3), Predictions)
prediction = assert_type(net.top(images)[0], Prediction)
net.predict("dog.jpg", top="3")  # refused
assert_type(net.class_index("boxer"), int)
net.class_index([1, 2])  # refused

# targets, as many kinds as they have
assert_type(Target.of("boxer") - 0.5 * Logit(3), Target)
Target.of(Path("boxer"))  # refused
scores = torch.zeros(10)
heat = assert_type(pl.attribution.grad_cam(net, images, prediction), pl.Heatmap)
pl.attribution.grad_cam(net, images, scores.argmax())
pl.attribution.grad_cam(net, images, np.argmax(np.zeros(3)))
pl.attribution.grad_cam(net, images, lambda run: run.output[:, 1])
pl.attribution.grad_cam(net, images, None)
pl.attribution.grad_cam(net, images, 3.5)  # refused
names: list[str] = ["boxer", "bull mastiff"]
assert_type(pl.attribution.grad_cam(net, images, names), tuple[pl.Heatmap, ...])
assert_type(pl.attribution.grad_cam(net, images, (3, "boxer", Logit(3))), tuple[pl.Heatmap, ...])
assert_type(pl.attribution.occlusion_products(net, images, target=names)[0], Panel)
pl.attribution.grad_cam(net, images, [3.5])  # refused
assert_type(pl.synthesis.activation_maximization(net, names), Pictures)  # all targets in one answer

# options that are more than a plain value
pl.attribution.grad_cam(net, images, layer=module)
pl.attribution.grad_cam(net, images, layer=["features.1", "features.3"])
pl.attribution.deep_lift(net, images, baseline="blur")
pl.attribution.deep_lift(net, images, baseline=Path("gray.png"))
pl.attribution.deep_lift(net, images, baseline=3)  # refused
pl.attribution.smooth_grad(net, images, of="lrp:composite=epsilon")
pl.attribution.smooth_grad(net, images, of=pl.Ask("lrp", composite="epsilon"))
pl.synthesis.interpolation(net, "boxer", end="bull mastiff", recipe="lucid + tv(0.01)")
pl.synthesis.inversion(net, images, layers=["features.1"])
pl.synthesis.inversion(net, images, layers="features.1")  # refused
pl.units.dissection("x.index", concepts="broden")

# results
assert_type(heat[0], pl.Heatmap)
assert_type(len(heat), int)
assert_type(heat.save("boxer.npz"), Path)
assert_type(pl.open("boxer.npz"), pl.Result)
pl.open(3)  # refused
heat["boxer"]  # refused

# pictures of them
assert_type(pl.draw(heat, images, view="positive", opacity=0.5, title="Boxer"), Picture)
pl.draw([heat, heat], over="dog.jpg")
pl.draw(heat, opacty=0.5)  # refused
pl.draw(heat, opacity="half")  # refused
pl.draw(heat, columns=3)  # refused
pl.draw(pl.filters.first_layer(net), dark=True)
pl.draw(pl.filters.first_layer(net), opacity=1)  # refused
pl.draw(pl.open("boxer.npz"), title="Boxer")
pl.draw(net)  # refused
pl.draw()  # refused

# explain, and questions as values
explanation = assert_type(pl.explain(net, "dog.jpg", classes=2, methods=["grad_cam"], truth="boxer"), Explanation)
pl.explain(net, "dog.jpg", methods="all")
pl.explain(net, "dog.jpg", method="all")  # refused
pl.explain(net)  # refused
pl.draw(explanation, photo="all")
pl.draw([explanation, explanation], title="Dogs")
ask = pl.Ask("grad_cam", {"target": "boxer"}, against=True)
answer: Any = ask.answer(net, images)
pl.Ask.of(3)  # refused
assert_type(pl.find("grad_cam").name, str)

# an index
index = assert_type(pl.units.index(net, "photos", store="x.index", count=9), Index)
pl.units.index(net, Source.of("photos"), store=Path("x.index"))
pl.units.index(net, "photos")  # refused
assert_type(pl.units.table(index, where="silent > 0.9", max_rows=3), Table)
pl.units.table(index, wher="silent > 0.9")  # refused
pl.attribution.grad_kam(net, images)  # refused


def own(heats: Sequence[pl.Heatmap]) -> Picture:
    return pl.draw(heats)
