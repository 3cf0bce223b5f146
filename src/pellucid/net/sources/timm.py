"""Networks of timm, by the names that it gives them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pellucid.errors import BadNetwork, unknown
from pellucid.net.checkpoint import read_checkpoint
from pellucid.net.download import hub_file, url_file
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import Found, imagenet, optional, source


@source("timm", written="timm:NAME", zoo=True)
def find(rest: str, *, pretrained: bool) -> Found:
    """timm's network `rest`, with or without the tag of its weights (resnet50, resnet50.a1_in1k)."""
    timm = optional("timm", "timm")
    architecture = rest.partition(".")[0]
    if not timm.is_model(architecture):
        raise unknown("timm network", rest, [*timm.list_models(), *timm.list_pretrained()])
    try:
        config = timm.get_pretrained_cfg(rest)
    except RuntimeError as error:  # no such tag
        tagged = [name for name in timm.list_pretrained() if name.split(".")[0] == architecture]
        raise unknown("timm network", rest, tagged or [architecture]) from error
    overlay = {}
    if pretrained:
        # Only our reader opens the file; timm fits the tensors to the network, as it does with its own.
        overlay = {"state_dict": read_checkpoint(_file(rest, config))}
    module = timm.create_model(rest, pretrained=pretrained, pretrained_cfg_overlay=overlay or None)
    module.pretrained_cfg.pop("state_dict", None)
    labels = imagenet() if module.pretrained_cfg.get("num_classes") == 1000 else None
    preprocess = _preprocess(rest, timm.data.resolve_model_data_config(module))
    return Found(module, f"timm:{rest}", preprocess, labels, scores="logits" if labels else None)


def _file(name: str, config: Any) -> Path:
    """The file that holds the trained weights, fetched if need be."""
    if config is not None and config.hf_hub_id:
        own = [config.hf_hub_filename] if config.hf_hub_filename else []
        return hub_file(f"timm:{name}", config.hf_hub_id, [*own, "model.safetensors", "pytorch_model.bin"])
    if config is not None and config.url:
        return url_file(f"timm:{name}", config.url)
    raise BadNetwork(f"timm has no trained weights for {name!r}: weights='random', or a file")


def _preprocess(name: str, config: dict[str, Any]) -> Preprocess:
    """What timm.data.create_transform would do at test time, as a value."""
    channels, height, width = config["input_size"]
    whole = (math.floor(height / config["crop_pct"]), math.floor(width / config["crop_pct"]))
    if config["crop_mode"] == "border":
        raise BadNetwork(f"timm:{name} wants images fitted into a border, which Pellucid cannot do")
    # timm crops from a square whose side it computes; an oblong input is fitted so that the crop is covered.
    resize = whole if config["crop_mode"] == "squash" else max(whole)
    return Preprocess(
        resize,
        (height, width),
        config["interpolation"],
        tuple(config["mean"]),
        tuple(config["std"]),
        channels,
    )
