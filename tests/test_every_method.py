"""What holds for every method of the catalogue, whoever wrote it: a new method is tested by being declared."""

from __future__ import annotations

import atexit
import copy
import functools
import inspect
import json
import pickle
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.catalogue import Entry, entries
from pellucid.data import Data, NewTask
from pellucid.described import written_default
from pellucid.errors import PellucidError
from pellucid.history import History
from pellucid.images import Images
from pellucid.index import Index
from pellucid.methods.units import Indexes, Unit
from pellucid.net import Labels, Net, Preprocess
from pellucid.net.nets import Nets
from pellucid.nouns import Noun
from pellucid.result import (
    ActivationMaps,
    Atlas,
    Audit,
    Blocks,
    ColorSelectivity,
    Curve,
    DecisionTree,
    Embedding2D,
    Filters,
    Heatmap,
    LabelMap,
    Neighbors,
    Panel,
    Patches,
    Pictures,
    Projections,
    ReceptiveFields,
    Report,
    Result,
    Spectrum,
    Study,
    Table,
    Tour,
    UnitPage,
)
from pellucid.result.serial import packed
from pellucid.target import BEST, Target, Targets
from tests.methods.units.marked import marked
from tests.storages import left_behind

ROOT = Path(__file__).parents[1]
LOCATED: dict[str, Any] = {
    "truth": {str(i): [(("cat", "dog", "cow")[i % 3], (4 + i, 2, 20, 14 + i))] for i in range(0, 12, 2)},
    "of": "grad_cam,gradient",
}
"""Where things are in the labeled images, and of which methods."""
STRIPES = {str(k): {"stripes": "yes" if k else "no"} for k in range(3)}
_TINY: dict[str, dict[str, Any]] = {
    # what is quick for pictures of 32 pixels and for the layers of the tiny network
    "lime": {"segmentation": "grid", "n_segments": 6, "samples": 40},
    "kernel_shap": {"segmentation": "grid", "n_segments": 6, "samples": 40},
    "shapley_sampling": {"segmentation": "grid", "n_segments": 6, "permutations": 3},
    "occlusion": {"size": 8, "stride": 8},
    "occlusion_labels": {"size": 8, "stride": 8},
    "occlusion_products": {"size": 8, "stride": 8},
    "occlusion_rank": {"size": 8, "stride": 8},
    "occlusion_sizes": {"sizes": (8, 16)},
    "extremal_perturbation": {"steps": 3, "width": 0.4, "areas": (0.7,)},
    "rise": {"samples": 20},
    "sobol": {"grid": 3, "samples": 4},
    "integrated_gradients": {"steps": 4},
    "expected_gradients": {"samples": 4},
    "guided_integrated_gradients": {"steps": 4},
    "blur_integrated_gradients": {"sigma": 4, "steps": 4},
    "smooth_grad": {"samples": 4},
    "activation_maximization": {"steps": 3},
    "because": {"layer": "block", "concepts": marked(), "count": 2, "min_iou": 0.001, "points": 2},
    "captioner": {"samples": 32, "recipe": "epochs=6,batch=8"},
    "caricature": {"steps": 2},
    "deepdream": {"octaves": 2, "steps": 2, "bands": 2},
    "diversity": {"count": 2, "steps": 3},
    "interpolation": {"end": "block:5", "count": 3, "steps": 3},
    "counterfactual": {"steps": 4},
    "exchange": {"new_class": "cat"},
    "concept_ablation": {"count": 8, "controls": 3},
    "prototypes": {"count": 3, "criticisms": 2},
    "fooling": {"steps": 8, "rate": 1},
    "fooling_noise": {"steps": 4},
    "inversion": {"layers": ("block",), "steps": 4},
    "style_transfer": {"size": 32, "steps": 4},
    "texture": {"size": 24, "scale": 32, "steps": 4},
    "neuron_groups": {"groups": 3, "points": 2, "steps": 2},
    "pathways": {"layers": ("stem", "relu"), "groups": 3, "points": 2, "steps": 2},
    "semantic_dictionary": {"layer": "block", "units": 2, "steps": 2},
    "layer_attribution": {"count": 2, "points": 2},
    "tour": {
        "layers": ("stem", "relu"),
        "units": 2,
        "points": 2,
        "steps": 2,
        "photos": ["sample:panda", "sample:koala"],
    },
    "maps": {"layer": "block", "units": (5, 0, 2)},  # the strongest are so over all images
    "top_images": {"count": 4},
    "atlas": {"layer": "block", "grid": 2, "min_per_cell": 1, "steps": 2},
    "place": {"method": "pca"},
    "color": {"count": 4, "max_units": 4},
    "neuron_feature": {"count": 4},
    "page": {"count": 4, "feature": 4},
    "selectivity": {"count": 4, "step": 90, "resamples": 5},
    "similar": {"count": 3},
    "reconstruction": {"count": 4},
    "ablation": {"count": 6, "controls": 2},
    "compare": {"shuffles": 3, "examples": 1},
    "dissection": {"layers": ("block", "relu"), "concepts": marked(), "examples": 2},
    "evolution": {"count": 3, "top": 4},
    "gradient_flow": {"samples": 8},
    "depth": {"depths": (1, 2), "variants": ("he", "norm+residual"), "rates": (0.03,), "epochs": 1, "samples": 8},
    "initialization": {"schemes": ("he", "lsuv"), "epochs": 1, "repeats": 2, "samples": 8},
    "calibration": {"bins": 4, "resamples": 20},
    "pruning": {"kept": (0.6, 0.2), "controls": 2},
    "uncertainty": {"samples": 6},
    "doubt": {"samples": 6},
    "invariance": {"transforms": ("translation", "rotation", "jpeg")},
    "memorization": {"kinds": ("true labels", "random labels"), "epochs": 2, "samples": 8},
    "double_descent": {"samples": 9, "draws": 2, "multiples": (0.5, 1.0, 3.0), "size": 8},
    "intrinsic_dimension": {"dimensions": (3, 10), "epochs": 1, "repeats": 1, "samples": 8},
    "linear_regions": {"segments": 2, "max_passes": 300},
    "lottery_tickets": {"rounds": 1, "epochs": 1, "repeats": 1, "samples": 8},
    "transfer": {"shots": (1, 2), "repeats": 2, "steps": 2},
    "sim_to_real": {"shots": (1, 2), "repeats": 2, "steps": 2},
    "mistake": {"label": "cat"},
    "cover": {"masks": "top left", "controls": 1},
    "clusters": {"cells": 4, "count": 4},
    "groups": {"groups": ["indoors", "outdoors"] * 6, "min_images": 2},
    "regions": {"masks": "bottom right", "count": 4},
    "report": {"planted": False},
    "surrogate": {"samples": 60},
    "review": {"cells": 4, "count": 4, "photos": 2},
    "audit": {"count": 2},
    "context": {"truth": LOCATED["truth"]},
    "retrained": {"decisions": [["0", "cat", "accept", "dog"]], "repeats": 2},
    "right_reasons": {"masks": "top left", "recipe": "epochs=1"},
    "saliency_input": {"of": "gradient", "recipe": "epochs=1"},
    "tree": {"leaves": 3},
    "rules": {"leaves": 3},
    "frontier": {"leaves": (2, 3)},
    "distill": {"recipe": "epochs=1"},
    "soft_autoencoder": {"patches": 16, "recipe": "epochs=1", "knobs": (0, 1)},
    "constraints": {"recipe": "epochs=1", "strengths": (0.01,), "samples": 20, "hidden": 8},
    "prototype_network": {"recipe": "epochs=1", "each": 1, "width": 4},
    "concept_bottleneck": {"recipe": "epochs=1", "strengths": (1.0,), "concepts": STRIPES},
    "modular": {"recipe": "epochs=1", "layers": ("block",), "parts": 2},
    "infogan": {"steps": 2, "side": 4},
    "cost": {"recipe": "epochs=1", "repeats": 1},
    "priors": {"recipe": "epochs=1", "banks": ("opponent",), "shares": (1.0,)},
    "vqa": {"samples": 32, "recipe": "epochs=1"},
    "xrai": {"steps": 4, "scales": (1200,), "min_area": 1500},
    "deletion": {"of": "grad_cam,gradient", "steps": 4},
    "insertion": {"of": "grad_cam,gradient", "steps": 4},
    "pointing": LOCATED,
    "energy": LOCATED,
    "pixels": {**LOCATED, "levels": 20},
    "box_accuracy": {**LOCATED, "thresholds": 5},
    "localize": {"of": LOCATED["of"], "boxes": LOCATED["truth"], "thresholds": 5},
    "grid_pointing": {"of": LOCATED["of"], "count": 3, "confidence": 0.0},
}
_TINY |= {
    entry.name: {"of": "gradient"} | _TINY.get(entry.name, {}) for entry in entries() if entry.chapter == "quality"
}
QUICK = {entry.name: {**entry.quick, **_TINY.get(entry.name, {})} for entry in entries()}
"""Options with which every method answers soon about the tiny network."""
CONSTANT = {"occlusion_labels"}
"""Whose answer on random numbers may be the same everywhere."""
FIRST = {entry.plainly.__annotations__["return"]: entry for entry in reversed(entries())}
"""The method whose answer is drawn, for each kind of result."""
LONG = {
    "atlas", "audit", "average_drop", "axioms", "because", "between", "blur_integrated_gradients", "captioner",
    "clusters", "color", "concept_ablation", "connect", "convexity", "counterfactual", "cover", "curvature",
    "deepdream", "depth", "distill", "diversity", "exchange", "expected_gradients", "extremal_perturbation",
    "fooling_noise", "frontier", "guided_integrated_gradients", "hierarchy", "infidelity", "influence",
    "insertion", "interpolation", "kernel_shap", "label_randomization", "layer_attribution", "lime", "line",
    "localize", "map", "mislabeled", "mistake", "nearest", "neighbors", "neuron_groups", "occlusion_products",
    "occlusion_sizes", "page", "pathways", "plane", "planted_bias", "prototypes", "randomization",
    "reconstruction", "regions", "report", "review", "rise", "road", "semantic_dictionary", "sensitivity",
    "shapley_sampling", "sharpness", "sim_to_real", "sobol", "soft_autoencoder", "stability", "style_transfer",
    "sufficiency", "surrogate", "texture", "tour", "trajectory", "transfer", "xrai",
}  # fmt: skip
"""Methods that take seconds even here: what holds for every method is asked of these in the slow lane."""


def in_lane(several: Iterable[Entry], slow: Collection[str] = ()) -> list[Any]:
    """The methods as parameters of a test, the long ones marked, and those of these names."""
    marks = dict.fromkeys({*LONG, *slow}, pytest.mark.slow)
    return [pytest.param(one, marks=marks.get(one.name, ()), id=one.name) for one in several]


every = pytest.mark.parametrize("entry", in_lane(entries()))
declared = pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
"""All in the fast lane, for what a declaration says: nothing is computed."""
ALIKE = {one.name for one in entries() if one not in FIRST.values()}
"""Methods besides the first of each kind of result."""
one_of_each_kind = pytest.mark.parametrize("entry", in_lane(entries(), ALIKE))
"""A method for each kind of result, and the rest in the slow lane: for what hardly depends on the method."""


class Tiny(nn.Module):
    """Batch norm, dropout, an in-place rectifier, a skip, an averaging head: what methods meet in the wild."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.last, self.relu = nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(inplace=True)
        self.drop, self.head = nn.Dropout(), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        h = h + self.block(h)
        return self.head(self.drop(self.relu(self.last(h)).mean((2, 3))))


def tiny(**how: Any) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = Tiny().double()
        module(torch.rand(16, 3, 32, 32).double())  # running statistics that are not the trivial ones
    preprocess = Preprocess(resize=32, crop=(32, 32), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
    return Net(module, "tiny", preprocess, Labels.plain(["cat", "dog", "cow"]), **how)


def photos(n: int = 3) -> Images:
    generator = torch.Generator().manual_seed(1)
    values = [torch.rand(3, 32 + 5 * i, 40, dtype=torch.float64, generator=generator) for i in range(n)]
    return Images.from_pictures(values, [f"photo {i}" for i in range(n)])


def undecided() -> Net:
    """A network that says something else of other photos."""
    net = tiny()
    with torch.no_grad():
        net.module.head.bias -= net.run(net.prepare(photos())).output.mean(0)
    return net


UNDECIDED = {"grid_pointing"}
"""Methods that need images of several classes, as the network sees them."""
PAIRED = {"exchange"}
"""Methods that ask about images and another."""
MANY = {"between": 2, "connect": 2, "trajectory": 3}
"""How many networks a method is about that is not about each of them."""


def several(entry: Entry, net: Net) -> Any:
    """As many networks as the method is about: the first, and others that differ from it in a bias each."""
    biases = [(name, one.detach()) for name, one in net.module.named_parameters() if one.dim() == 1][-2:]
    moved = [net.with_weights({name: one + 1}) for name, one in biases]
    return [*moved, net][-MANY[entry.name] :] if entry.name in MANY else net


def fitting(entry: Entry, net: Net) -> Net:
    """The tiny network, or one of other weights that says something else of other images."""
    if entry.name not in UNDECIDED:
        return net
    return net.with_weights({"head.bias": net.module.head.bias.new_tensor([0.51, 0.74, 0.27])})


def nouns(entry: Entry, net: Net, images: Images) -> dict[str, Any]:
    """What the method asks about, by the kind of each argument."""
    net = fitting(entry, net)
    images = images + images if entry.name in PAIRED and len(images) == 1 else images
    given: dict[type[Noun], Any] = {Net: net, Images: images, Target: "dog", Targets: "dog", Unit: "block:5"}
    if entry.asks(Data, Nets, History, NewTask):
        given |= {Data: labeled(), Nets: several(entry, net), History: trained()}
    if entry.asks(Index, Indexes):
        given |= {Index: indexed(net), Indexes: [indexed(net)] * 2}
    return entry.placed(given)


def ask(entry: Entry, net: Net, images: Images, **options: Any) -> Result:
    return entry.function(**nouns(entry, net, images), **QUICK.get(entry.name, {}), **options)


@functools.cache
def answer(entry: Entry) -> Result:
    """Of the tiny network, in evaluation mode, about three photos: for every test that only looks at an answer."""
    return ask(entry, tiny(), photos())


def labeled(n: int = 12) -> Data:
    """Images in three classes, in memory."""
    chance = np.random.default_rng(5)
    pixels = chance.random((n, 3, 8, 8)).repeat(4, 2).repeat(4, 3)
    return Data.of((pixels, np.arange(n) % 3))


@functools.cache
def trained() -> str:
    """The folder of a training run."""
    folder = Path(tempfile.mkdtemp(prefix="pellucid-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rows = [{"step": 10 * i, "train loss": 2 / (i + 1), "test loss": abs(i - 4) / 4 + 0.5} for i in range(12)]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


_stores: dict[str, str] = {}


def indexed(net: Net) -> Index:
    """An index of twelve pictures in three classes by that network; made once for each set of weights."""
    if net.weights not in _stores:
        folder = Path(tempfile.mkdtemp(prefix="pellucid-test-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        chance = np.random.default_rng(2)
        pixels = chance.random((12, 6, 6, 3)).repeat(6, 1).repeat(6, 2)
        np.savez(folder / "photos.npz", images=(pixels * 255).astype(np.uint8), labels=np.arange(12) % 3)
        pl.units.index(net, folder / "photos.npz", store=folder / "x.index", count=8, embed=("block", "relu"))
        _stores[net.weights] = str(folder / "x.index")
    return Index.of(_stores[net.weights]).with_net(net)


def numbers(result: Result) -> np.ndarray:
    if isinstance(result, (Curve, DecisionTree, Study, Spectrum)):  # what is not known is left out
        found = [one.ravel().astype(float) for one in packed(result)[0].values()]
        tables = result.tables.values() if isinstance(result, (DecisionTree, Study)) else ()
        cells = [v for table in tables for values in table.columns.values() for v in values]
        flat = np.concatenate([*found, [float(v) for v in cells if isinstance(v, (int, float))]])
        return flat[np.isfinite(flat)]
    if isinstance(result, Pictures):
        return np.concatenate([one.ravel() for one in result.pixels]).reshape(len(result), -1).astype(float)
    if isinstance(result, Audit):
        return np.concatenate([[one.score for one in result.items], result.thumbs.ravel().astype(float)])
    if isinstance(result, Atlas):
        return result.pixels.astype(float)
    if isinstance(result, Table):
        kept = [v for v in result.columns.values() if all(isinstance(x, (int, float)) or x is None for x in v)]
        return np.array([[np.nan if x is None else float(x) for x in v] for v in kept])
    if isinstance(result, Report):  # what is not known is left out
        found = [v for table in result.tables.values() for v in table.columns.values()]
        flat = [float(x) for v in found for x in v if isinstance(x, (int, float))]
        return np.array(flat)
    if isinstance(result, UnitPage):
        return np.concatenate([result.top.values, result.spread.values, result.counts])
    if isinstance(result, Panel):
        return np.concatenate([part.values.reshape(len(part), -1) for part in result.parts.values()], axis=1)
    if isinstance(result, Tour):
        each = [
            [one for layer in walk.layers for one in (layer.values, layer.shares, layer.maps)] for walk in result.walks
        ]
        return np.stack([np.concatenate([one.ravel() for one in parts]) for parts in each])
    if isinstance(result, Blocks):
        parts = [(one.values.reshape(len(result), -1), one.shares, one.residual[:, None]) for one in result.layers]
        return np.concatenate([one for part in parts for one in part], axis=1)
    if isinstance(result, ColorSelectivity):
        return result.values
    arrays, _ = packed(result)
    return arrays["values"] if "values" in arrays else np.concatenate([one.ravel() for one in arrays.values()])


def rows(result: Result) -> list[np.ndarray]:
    """The numbers image by image; pictures may be of several sizes."""
    return [one.astype(float) for one in result.pixels] if isinstance(result, Pictures) else [*numbers(result)]


def about(entry: Entry, *kinds: type[Noun]) -> None:
    """Skip for methods that ask about none of these kinds."""
    if not entry.asks(*kinds):
        pytest.skip(f"asks about no {kinds[0].__name__}")


def step(entry: Entry) -> float:
    """The least that two answers can differ: pictures have 256 levels, and a rounding may fall either way."""
    return 1.0 if entry.gives(Pictures) or entry.gives(Atlas) else 0.0


def levels(result: Result) -> Any:
    """The same for each number of a study, whose pictures alone are of 8 bits; 0 for any other."""
    if not isinstance(result, Study):
        return 0.0
    held = [one.ravel() for one in packed(result)[0].values()]
    each = [np.full(int(np.isfinite(one.astype(float)).sum()), float(one.dtype == np.uint8)) for one in held]
    return np.concatenate([*each, np.zeros(len(numbers(result)) - sum(map(len, each)))])


def state_of(module: nn.Module) -> list[Any]:
    hooks = [len(v) for part in module.modules() for k, v in sorted(vars(part).items()) if k.endswith("_hooks")]
    modes = [part.training for part in module.modules()]
    parameters = [(p.requires_grad, p.grad is None) for p in module.parameters()]
    return [hooks, modes, parameters, [id(b) for b in module.buffers()], torch.is_grad_enabled()]


@every
@pytest.mark.parametrize("call", [1, 4])
def test_leaves_the_network_as_it_was_when_it_fails(entry: Entry, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, calls = tiny(), 0
    nouns(entry, net, photos())  # an index is made before the network begins to fail
    net.module.train()
    whole = Tiny.forward

    def failing(self: Tiny, x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == call:
            raise RuntimeError("out of luck")
        return whole(self, x)

    monkeypatch.setattr(Tiny, "forward", failing)
    weights, before = copy.deepcopy(net.module.state_dict()), state_of(net.module)
    said = None
    try:
        ask(entry, net, photos())
    except PellucidError as error:
        said = str(error)
    if calls >= call:
        assert said is not None, "the failure was swallowed"
        assert "out of luck" in said
        assert "\n" not in said
    assert state_of(net.module) == before
    assert all(torch.equal(v, weights[k]) for k, v in net.module.state_dict().items())


@every
def test_in_training_mode_the_same_and_nothing_is_left_behind(entry: Entry) -> None:
    """Neither in the network nor in memory."""
    net, again = tiny(), []
    first = numbers(answer(entry))
    nouns(entry, net, photos())  # an index is made before
    net.module.train()
    net.module.block.eval()
    weights, before, rng = copy.deepcopy(net.module.state_dict()), state_of(net.module), torch.get_rng_state()
    left = left_behind(lambda: again.append(numbers(ask(entry, net, photos())).copy()))
    assert left == 0, f"{left} bytes of tensors outlive the answer"
    assert state_of(net.module) == before
    assert all(torch.equal(v, weights[k]) for k, v in net.module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), rng)
    assert np.array_equal(first, again[0], equal_nan=entry.gives(Table))
    assert np.isfinite(first).all() or entry.gives(Table)
    assert np.nanmax(first) > np.nanmin(first) or entry.name in CONSTANT


@every
def test_does_not_depend_on_the_batch(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, together, in another order, in chunks of one: within 1e-12 in float64."""
    about(entry, Images)
    if entry.together:
        pytest.skip("is about all images together")
    net, images = tiny(), photos()
    together = rows(answer(entry))
    single = [row for one in images for row in rows(ask(entry, net, one))]
    turned = rows(ask(entry, net, images[2] + images[0] + images[1]))
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    small = rows(ask(entry, net, images))
    for other in (single, [turned[i] for i in (1, 2, 0)], small):
        for one, again in zip(together, other, strict=True):
            assert np.allclose(one, again, rtol=0, atol=1e-12 + step(entry))


@every
def test_names_the_class_that_each_map_is_of(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several images and no target the best guess of each by its name, in chunks of one too, for no further pass."""
    about(entry, Target, Targets)
    if not entry.asks(Images) or entry.arguments[str(entry.argument(Target, Targets))].default is not BEST:
        pytest.skip("explains no best guess of images")
    net, images, options = undecided(), photos(), QUICK.get(entry.name, {})
    wanted = tuple(ranked[0].label for ranked in net.predict(images).ranked)
    assert len({*wanted}) > 1
    target = str(entry.argument(Target, Targets))

    def best(images: Images, *name: str) -> Result:
        given = nouns(entry, net, images)
        del given[target]
        return entry.function(**given, **options, **({target: name[0]} if name else {}))

    alone, passes, forward = [best(one).meta for one in images], [], Tiny.forward
    monkeypatch.setattr(Tiny, "forward", lambda self, x: (passes.append(len(x)), forward(self, x))[1])
    found = best(images)
    taken = sum(passes)
    for one, name in zip(images, wanted, strict=True):
        best(one, name)
    assert taken <= sum(passes) - taken
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    for result in (found, best(images)):
        assert (result.meta.target, result.meta.targets) == ("best guess", wanted)
        for i, name in enumerate(wanted):
            for meta in (result[i].meta, alone[i]):
                assert (meta.target, meta.targets) == (name, (name,))
    assert best(images, wanted[0]).meta.targets == ()


@every
def test_several_targets_are_the_same_questions(entry: Entry) -> None:
    """A list of targets shares forward passes, and changes no number by it."""
    about(entry, Target, Targets)
    if entry.asks(Targets):
        pytest.skip("answers them together")
    net, image, options = tiny(), photos(1), QUICK.get(entry.name, {})
    others = {"occlusion_products": "p(cat)", "occlusion_rank": "p(cat)", "finer_cam": "cat",
              "fooling": "cat", "fooling_noise": "cat"}  # they need one class  # fmt: skip
    asked = ["dog", others.get(entry.name, "cat - dog"), "dog"]
    given, target = nouns(entry, net, image), str(entry.argument(Target, Targets))
    together = entry.function(**given | {target: asked}, **options)
    alone = [entry.function(**given | {target: one}, **options) for one in asked]
    assert [one.meta.target for one in together] == asked
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(numbers(one), numbers(other))
    with pytest.raises(PellucidError, match="list of targets is empty"):
        entry.function(**given | {target: []}, **options)


@every
def test_many_targets_in_one_batch_are_the_same_questions(entry: Entry) -> None:
    """A method that takes them together makes of each what it makes of it alone."""
    about(entry, Target, Targets)
    if not entry.asks(Targets):
        pytest.skip("takes one")
    net, options = tiny(), QUICK.get(entry.name, {})
    given, target = nouns(entry, net, photos(1)), str(entry.argument(Target, Targets))
    asked = ["dog", "block:2", "cat"]
    together = entry.function(**given | {target: asked}, **options)
    assert together.meta.target == "; ".join(asked)
    each = len(together) // len(asked)
    for i, one in enumerate(asked):
        alone = numbers(entry.function(**given | {target: one}, **options))
        assert np.allclose(numbers(together)[i * each : (i + 1) * each], alone, rtol=0, atol=step(entry))
    with pytest.raises(PellucidError, match="list of targets is empty"):
        entry.function(**given | {target: []}, **options)


@pytest.mark.slow
@every
def test_does_not_depend_on_threads(entry: Entry) -> None:
    """Within 1e-6 of the map's range (sums are cut differently), for one thread and two."""
    before, first = torch.get_num_threads(), answer(entry)
    try:
        torch.set_num_threads(2)
        again = ask(entry, tiny(), photos())
    finally:
        torch.set_num_threads(before)
    one, two = numbers(first), numbers(again)
    within = 1e-6 * float(np.nanmax(np.abs(one))) + step(entry) + levels(again)
    assert np.allclose(one, two, rtol=0, atol=within, equal_nan=entry.gives(Table))


@one_of_each_kind
def test_single_precision_is_finite_or_refused(entry: Entry) -> None:
    assert_finite(entry, torch.float32)


@pytest.mark.slow
@every
def test_half_precision_is_finite_or_refused(entry: Entry) -> None:
    assert_finite(entry, torch.float16)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [one for one in entries() if one.name not in LONG], ids=lambda entry: entry.name)
def test_brain_floats_are_finite_or_refused(entry: Entry) -> None:
    """Not asked of the long ones: what overflows in them does so earlier in half precision."""
    assert_finite(entry, torch.bfloat16)


def assert_finite(entry: Entry, dtype: torch.dtype) -> None:
    net = tiny()
    net.module.to(dtype)
    images = Images.from_pictures([p.float() for p in photos(1).pictures], ["photo"])
    result = ask(entry, net, images)
    assert np.isfinite(numbers(result)).all() or entry.gives(Table)


@every
def test_signs_its_result(entry: Entry) -> None:
    net, images = tiny(), photos()
    meta = answer(entry).meta
    assert (meta.method, meta.title) == (entry.name, entry.title)
    if entry.asks(Net, Nets, Index, Indexes, Unit) and entry.name not in {*MANY, *UNDECIDED}:
        assert meta.weights == net.weights
        assert meta.net == "tiny"
    if not entry.asks(Index, Indexes):
        assert meta.images == (images.ids if entry.asks(Images) else ())
    assert set(meta.options) == set(entry.options.model_fields)
    assert set(meta.versions) == {"pellucid", "torch"}
    if entry.asks(Target, Targets):
        assert meta.target == "dog"
    json.dumps(meta.as_dict())


@declared
def test_refuses_unknown_options(entry: Entry) -> None:
    with pytest.raises(PellucidError, match=f"no option of {entry.name} 'color'"):
        ask(entry, tiny(), photos(1), color="red")


@declared
def test_refuses_values_out_of_range(entry: Entry) -> None:
    given = nouns(entry, tiny(), photos(1))
    for option, field in entry.options.model_fields.items():
        with pytest.raises(PellucidError, match=f"{entry.name}: {option}=") as error:
            entry.function(**given, **{option: object()})
        assert "\n" not in str(error.value)
        if any(hasattr(rule, "ge") for rule in field.metadata):
            with pytest.raises(PellucidError, match="greater than or equal"):
                entry.function(**given, **{option: -1})


@every
def test_takes_paths_and_names(entry: Entry, tmp_path: Path) -> None:
    about(entry, Images)
    path = tmp_path / "photo.png"
    Image.fromarray((photos(1).pixels[0] * 255).byte().permute(1, 2, 0).numpy()).save(path)
    paths = [str(path)] * 2 if entry.name in PAIRED else str(path)
    given = nouns(entry, tiny(), photos()) | entry.placed({Images: paths, Target: 1, Targets: 1})
    result = entry.function(**given, **QUICK.get(entry.name, {}))
    assert {*result.meta.images} == {"photo.png"}


@declared
def test_has_an_option_model_that_explains_itself(entry: Entry) -> None:
    fields = entry.options.model_fields
    assert len(fields) <= 6, "more than about six options: two methods, or a value object"
    for name, field in fields.items():
        assert field.description, f"{entry.name}.{name} has no description"
    assert issubclass(entry.options, pydantic.BaseModel)


@declared
def test_docstring_gives_shapes_and_the_source_is_named(entry: Entry) -> None:
    given = re.search(r"\([NFK],|one row for each", entry.doc)
    assert given, "the docstring must give the shape of what comes back"
    assert re.search(r"\b(19|20)\d\d\b", entry.source), "the source must be a paper with its year"
    assert re.search(r"(equation|section|figure|table|algorithm)", entry.source), "and the place in it"
    assert entry.summary.endswith((".", ":")) or len(entry.summary) > 30
    assert entry.title.strip() == entry.title != ""
    assert entry.function.source == entry.source
    assert entry.function.title == entry.title


@declared
def test_is_listed_everywhere(entry: Entry) -> None:
    chapter = getattr(pl, entry.chapter)
    assert getattr(chapter, entry.name) is entry.function
    assert entry.name in chapter.__all__
    assert (ROOT / "examples" / entry.chapter / f"{entry.name}.py").is_file(), "every method has an example"
    tests = (path.read_text(encoding="utf-8") for path in (ROOT / "tests/methods" / entry.chapter).glob("test_*.py"))
    assert any(re.search(rf"\b{entry.name}\b", text) for text in tests), "every method has a test of its own"
    signature = inspect.signature(entry.function)
    assert all(p.kind is p.KEYWORD_ONLY for n, p in signature.parameters.items() if n not in entry.arguments)


@one_of_each_kind
def test_result_pickles_indexes_and_draws(entry: Entry, tmp_path: Path) -> None:
    """That it can be saved and opened again is tested in `result/test_stored.py`."""
    result = answer(entry)
    again = pickle.loads(pickle.dumps(result))
    assert repr(again) == repr(result)
    assert repr(result).startswith(f"{type(result).__name__}(")
    if isinstance(result, Heatmap):
        assert len(result) == 3
        assert repr(result).startswith("Heatmap(3 × ")
        assert entry.name in repr(result)
    if isinstance(result, (Heatmap, LabelMap, Panel)):
        assert result[-1].meta.images == ("photo 2",)
    if isinstance(result, (Heatmap, ActivationMaps, Filters, Pictures, Projections, Embedding2D, Neighbors)):
        assert len(result) == len(again) > 0
        assert np.array_equal(rows(result[len(result) - 1])[0], rows(result)[-1])
        assert np.array_equal(rows(result[-1])[0], rows(result)[-1])
    if isinstance(result, Pictures):
        files = result.write(tmp_path / "bare.png")
        for file, one, other in zip(files, result.pixels, again.pixels, strict=True):
            with Image.open(file) as picture:
                assert np.array_equal(np.asarray(picture).ravel(), one.ravel())
            assert np.array_equal(other, one)
    if isinstance(result, Patches):
        assert len(result) == len(again) > 0
        assert result[0].names == result.names[:1]
    if isinstance(result, (ReceptiveFields, ColorSelectivity)):
        assert len(result[-1]) == 1 <= len(result) == len(again)
    if isinstance(result, Report):
        assert result.findings
        for table in result.tables.values():
            assert set(table.column_help) == set(table.columns), "every column says what it means"
    if isinstance(result, Table):
        assert len(result.rows) == len(result) > 0
        assert set(result.column_help) == set(result.columns), "every column says what it means"
    if isinstance(result, Panel):
        assert len(result) == len(again) == 3
        assert repr(result).startswith(f"Panel({', '.join(result.parts)}; 3 images")
        for name, part in result.parts.items():
            assert part.meta.method == entry.name
            assert np.array_equal(result[1][name].values[0], part.values[1])
    if FIRST.get(entry.plainly.__annotations__["return"], entry) is entry:
        assert pl.draw(result).array.shape[0] > 50


def test_the_catalogue_is_not_empty_and_has_no_twins() -> None:
    names = [entry.name for entry in entries()]
    assert len(names) >= 9
    assert len(set(names)) == len(names)


NO_BEGINNING = {"at", "between", "by", "each", "for", "from", "how", "in", "it", "less", "of", "on", "so", "what",
                "when", "where", "which", "whose", "with"}  # fmt: skip


@declared
def test_every_option_says_by_itself_what_it_is(entry: Entry) -> None:
    """A description begins with a noun or a verb; defaults and ranges are shown beside it in one form."""
    for name, field in entry.options.model_fields.items():
        said = field.description or ""
        where = f"{entry.name}.{name}: {said!r}"
        assert said.split()[0] not in NO_BEGINNING, where
        assert "by default" not in said, f"{where}: Default('…') says it"
        assert not said.endswith("."), where
        if field.default is None or field.default == ():
            assert written_default(field.metadata), f"{where}: what happens without it?"


@declared
def test_every_method_has_a_purpose_of_one_line(entry: Entry) -> None:
    room = 74 - max(len(one.name) for one in entries() if one.chapter == entry.chapter)
    assert entry.function.purpose == entry.purpose
    assert 15 < len(entry.purpose) <= room, f"{entry.name}: {entry.purpose!r} must fit beside the names in 80 columns"
    assert not entry.purpose.endswith(".")
