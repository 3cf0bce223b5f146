"""Networks of torchvision, by the names that it gives them."""

from __future__ import annotations

import inspect
import threading
import warnings
from typing import Any

from torch import nn

from pellucid.errors import BadNetwork, unknown
from pellucid.net.checkpoint import read_checkpoint
from pellucid.net.download import url_file
from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import Found, imagenet, optional, source
from pellucid.net.transforms import preset

_lock = threading.Lock()


@source("torchvision", written="torchvision:NAME", zoo=True)
def find(rest: str, *, pretrained: bool) -> Found:
    """torchvision's network `rest`, or `rest` with the name of its weights (resnet50.IMAGENET1K_V1)."""
    models = optional("torchvision.models", "torchvision")
    name, _, tag = rest.partition(".")
    if name not in models.list_models():
        raise unknown("torchvision network", rest, models.list_models())
    choices = {weights.name: weights for weights in models.get_model_weights(name)}
    if tag and tag not in choices:
        raise unknown("torchvision network", rest, [f"{name}.{choice}" for choice in choices])
    weights = choices[tag] if tag else getattr(models.get_model_weights(name), "DEFAULT", None)
    if pretrained and weights is None:
        raise BadNetwork(f"torchvision has no trained weights for {name!r}: weights='random', or a file")
    module = _build(models, name, weights if pretrained else None)
    if weights is None:
        return Found(module, f"torchvision:{rest}", Preprocess())
    labels = _labels(weights)
    preprocess = preset(weights.transforms())
    return Found(module, f"torchvision:{rest}", preprocess, labels, scores="logits" if labels else None)


def _build(models: Any, name: str, weights: Any) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GoogLeNet and Inception announce changes that do not concern us
        if weights is None:
            parameters = inspect.signature(models.get_model_builder(name)).parameters
            # Whole or not at all: the trunk of a segmenter or detector would be fetched trained otherwise.
            trunk = {"weights_backbone": None} if "weights_backbone" in parameters else {}
            untrained: nn.Module = models.get_model(name, weights=None, **trunk)
            return untrained
        state = read_checkpoint(url_file(f"torchvision:{name}", weights.url))
        # torchvision would unpickle the file. What it does besides (old names, extra heads) differs per network,
        # so it goes on doing that, with tensors that were read safely.
        with _lock:
            weights.get_state_dict = lambda *_, **__: state
            try:
                module: nn.Module = models.get_model(name, weights=weights)
            finally:
                del weights.get_state_dict
        return module


def _labels(weights: Any) -> Labels | None:
    """torchvision's names come first; the classes of ImageNet also keep their other names and WordNet ids."""
    names = weights.meta.get("categories")
    if not names:
        return None
    if len(names) != 1000:
        return Labels.plain(names)
    known = imagenet()
    both = (dict.fromkeys((name, *more)) for name, more in zip(names, known.names, strict=True))
    return Labels(tuple(tuple(each) for each in both), known.wnids)
