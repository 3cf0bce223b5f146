"""Soft autoencoder: a denoiser of filters and thresholds, which can be turned like a knob after training."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import NewTask
from pellucid.interpretable.restoring import Photos, knobbed, learned, middle, photos_of, shown
from pellucid.interpretable.shrinkage import SoftAutoencoder
from pellucid.learning.networks import seeded
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Curve, Line, Mark, Meta, Study, Table
from pellucid.rng import Seed

_DEFAULT = {"epochs": 6, "batch": 32, "optimizer": "adam", "lr": 2e-3, "schedule": "cosine"}
_RECIPE = RecipeText("epochs=6")
_LEVELS = (0.5, 1.0, 2.0)
_HELP = {
    "noise": "standard deviation of the noise, 0..1; the network was trained at the middle one",
    "noisy": "PSNR of the noisy images, dB",
    "trained": "PSNR with the thresholds as trained (knob 1), dB",
    "best knob": "number by which thresholds are multiplied where the PSNR is highest, of those that were tried",
    "best": "PSNR there, dB",
    "plain": "PSNR of the twin with rectifiers, which has no knob, dB",
    "haar": "PSNR of Haar's wavelets with thresholds of the noise's size times the best knob, dB",
    "same answer": "share of images of which the network says the same as of the clean image, at the best knob",
    "noisy answer": "the same share for the noisy images",
}


@method(
    "Soft autoencoder",
    purpose="denoise by thresholds that are turned after training",
    shows=(
        "Each channel is a filter with a threshold: what is weaker is removed, and the way back is linear. Read where "
        "the PSNR is highest for each strength of noise: if the thresholds act as a filter level, the best knob rises "
        "with the noise. The plain twin shows what thresholds cost. It is one layer of filters, so no state of the art "
        "in denoising. Two trainings of 6 epochs on 2,000 patches; the network is only asked what it says of the "
        "restored images."
    ),
    source="Fan et al. 2020, equations 2 and 3; Donoho 1995, section 2 (soft thresholds of wavelets)",
    over="all",
    quick={"recipe": "epochs=1", "patches": 64},
)
def soft_autoencoder(
    net: Net,
    data: NewTask,
    *,
    noise: Annotated[float, Field(gt=0, le=1, description="standard deviation of the noise, pixels being 0..1")] = 0.2,
    knobs: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(min_length=1, description="numbers by which all thresholds are multiplied after training"),
    ] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
    patches: Annotated[int, Field(ge=16, le=10**6, description="number of patches to train on")] = 2000,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=6,lr=0.002,batch=32,optimizer=adam,seed=0")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """x -> decode(η_b(encode(x))) with η_b(x) = sgn(x) · max(|x| − b, 0), one b ≥ 0 for each of 64 channels: `levels`
    has one row for each strength of noise.

    Encoder and decoder are 64 filters of 8 × 8 pixels, 2 pixels apart; the plain twin has rectifiers without
    thresholds instead. Both learn to restore patches of up to 32 pixels with Gaussian noise, and are judged on the
    middles, up to 96 pixels wide, of images that they were not trained on, up to 200 in all. With Haar's filters the
    same module is wavelet shrinkage. Restored images are cut to 0..1 and shown to the network, of which nothing is
    trained.
    """
    photos = photos_of(net, data, seed)
    rules = recipe.recipe(**_DEFAULT, seed=seed)
    channels = int(photos.train[0].shape[0])
    soft, twin = (
        seeded(partial(SoftAutoencoder, channels, rectified=plain), seed) for plain in (False, True)
    )  # fmt: skip
    courses = {
        name: learned(one, photos, noise, patches, rules)
        for name, one in steps((("soft thresholds", soft), ("rectifiers", twin)), "trainings")
    }
    rows, lines = [], list[Line]()
    for level in steps([noise * k for k in _LEVELS], "strengths of noise"):
        row, values = _row(net, photos, soft, twin, level, knobs)
        rows.append(row)
        style = "line" if level == noise else "dashed"
        lines.append(Line(f"noise {level:g}", np.array(knobs), values, None, "PSNR, dB", style))  # type: ignore[arg-type]
    table = Table({name: tuple(row[name] for row in rows) for name in _HELP}, _HELP, plot_columns=("noisy", "best"))
    fits = [
        Line(name, np.arange(len(one.epochs), dtype=float), -10 * np.log10(one.series("train_loss")), None, "PSNR, dB")
        for name, one in courses.items()
    ]
    curves = {"knob": Curve(tuple(lines), "knob", (Mark(1, "as trained"),)), "training": Curve(tuple(fits), "epoch")}
    meta = Meta(
        found={"best knob": rows[1]["best knob"], "trained on": len(photos.train), "judged on": len(photos.test)},
        notes=(Note("choice", f"patches of {photos.side} pixels; judged on the middles of {len(photos.test)} images"),),
    )
    return Study(
        _findings(rows), curves, {}, {"levels": table}, meta, {"restored": shown(soft, photos, noise, knobs)}
    )  # fmt: skip


def _row(
    net: Net, photos: Photos, soft: SoftAutoencoder, twin: SoftAutoencoder, level: float, knobs: tuple[float, ...]
) -> tuple[dict[str, float], Float[np.ndarray, " k"]]:
    """What is known at one strength of noise, and the PSNR at each knob."""
    noisy = photos.noisy(level)
    small = [middle(one) for one in noisy]
    at_one, *each = knobbed(soft, small, (1.0, *knobs))
    values = np.array([photos.mean_psnr(one) for one in each])
    best = int(values.argmax())
    haar = knobbed(SoftAutoencoder.haar(int(small[0].shape[0]), level), small, knobs)
    with torch.no_grad():
        plain = [twin(one[None])[0] for one in small]
    clean = photos.answers(net, photos.test)
    (restored,) = knobbed(soft, noisy, knobs[best : best + 1])
    return {
        "noise": level,
        "noisy": photos.mean_psnr(small),
        "trained": photos.mean_psnr(at_one),
        "best knob": float(knobs[best]),
        "best": float(values[best]),
        "plain": photos.mean_psnr(plain),
        "haar": max(map(photos.mean_psnr, haar)),
        "same answer": _same(clean, photos.answers(net, restored)),
        "noisy answer": _same(clean, photos.answers(net, noisy)),
    }, values  # fmt: skip


def _same(one: Tensor, other: Tensor) -> float:
    return float((one == other).double().mean())


def _findings(rows: list[dict[str, float]]) -> tuple[str, ...]:
    low, own, high = rows
    return (
        f"noise {own['noise']:g}: PSNR {own['noisy']:.1f} dB of the noisy images, {own['trained']:.1f} dB restored "
        f"with the thresholds as trained, {own['plain']:.1f} dB by the twin with rectifiers, {own['haar']:.1f} dB by "
        "Haar's wavelets",
        f"the best knob is {low['best knob']:g} for noise {low['noise']:g}, {own['best knob']:g} for {own['noise']:g} "
        f"and {high['best knob']:g} for {high['noise']:g}",
        f"the network says of {own['same answer']:.0%} of the restored images what it says of the clean ones, of the "
        f"noisy ones of {own['noisy answer']:.0%}",
    )
