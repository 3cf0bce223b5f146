"""Ten maps beside those of captum and of pytorch-grad-cam, on the same photos: the pictures of docs/side_by_side.md.

    python benchmarks/side_by_side.py [NAME …]

Peers draw as their own examples do; Pellucid draws with its defaults, and once more in the vivid scheme.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import pellucid as pl
from pellucid.draw.letters import font_file

FOLDER = Path(__file__).parents[1] / "docs" / "pictures" / "side_by_side"
PHOTOS = ("panda", "koala", "lemur", "polar_bear", "scarlet_macaw")
SIDE, GAP, QUALITY = 300, 8, 78


def captum_map(name: str, **how: Any) -> Callable[[Any, torch.Tensor, int], np.ndarray]:
    """A map of captum, drawn as its tutorials draw it: `visualize_image_attr_multiple` with a blended heat map."""

    def drawn(net: Any, pixels: torch.Tensor, index: int) -> np.ndarray:
        from captum import attr
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        inputs = net.preprocess.normalize(pixels)
        model = net.module.eval()
        given = {key: value() if callable(value) else value for key, value in how.items()}
        with torch.enable_grad():
            values = getattr(attr, name)(model).attribute(inputs.clone().requires_grad_(), target=index, **given)
        figure = Figure(figsize=(3, 3), dpi=100)
        ax = figure.add_axes((0, 0, 1, 1))
        attr.visualization.visualize_image_attr(
            values[0].detach().permute(1, 2, 0).numpy(), pixels[0].permute(1, 2, 0).numpy(),
            method="blended_heat_map", sign="absolute_value" if name == "Saliency" else "all",
            plt_fig_axis=(figure, ax), use_pyplot=False,
        )  # fmt: skip
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    return drawn


def cam_map(name: str) -> Callable[[Any, torch.Tensor, int], np.ndarray]:
    """A map of pytorch-grad-cam, drawn as its README does: `show_cam_on_image`."""

    def drawn(net: Any, pixels: torch.Tensor, index: int) -> np.ndarray:
        import pytorch_grad_cam
        from pytorch_grad_cam.utils.image import show_cam_on_image
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        model = net.module.eval()
        layers = [dict(model.named_modules())["act2"]]
        with torch.enable_grad(), getattr(pytorch_grad_cam, name)(model=model, target_layers=layers) as cam:
            values = cam(input_tensor=net.preprocess.normalize(pixels), targets=[ClassifierOutputTarget(index)])
        return np.asarray(show_cam_on_image(pixels[0].permute(1, 2, 0).numpy(), values[0], use_rgb=True))

    return drawn


_WINDOW = {"sliding_window_shapes": (3, 32, 32), "strides": (3, 16, 16)}
PAIRS: dict[str, tuple[str, Callable[..., np.ndarray], Callable[..., Any]]] = {
    "gradient": ("captum Saliency", captum_map("Saliency"), pl.attribution.gradient),
    "gradient_times_input": (
        "captum InputXGradient", captum_map("InputXGradient"), pl.attribution.gradient_times_input,
    ),
    "guided_backprop": ("captum GuidedBackprop", captum_map("GuidedBackprop"), pl.attribution.guided_backprop),
    "integrated_gradients": (
        "captum IntegratedGradients", captum_map("IntegratedGradients", n_steps=50, internal_batch_size=10),
        lambda net, photo: pl.attribution.integrated_gradients(net, photo, quadrature="gauss_legendre", steps=50),
    ),
    "occlusion": ("captum Occlusion", captum_map("Occlusion", **_WINDOW), pl.attribution.occlusion),
    "grad_cam": ("pytorch-grad-cam GradCAM", cam_map("GradCAM"), pl.attribution.grad_cam),
    "grad_cam_plus_plus": (
        "pytorch-grad-cam GradCAMPlusPlus", cam_map("GradCAMPlusPlus"), pl.attribution.grad_cam_plus_plus,
    ),
    "hires_cam": ("pytorch-grad-cam HiResCAM", cam_map("HiResCAM"), pl.attribution.hires_cam),
    "layer_cam": ("pytorch-grad-cam LayerCAM", cam_map("LayerCAM"), pl.attribution.layer_cam),
    "eigen_cam": ("pytorch-grad-cam EigenCAM", cam_map("EigenCAM"), pl.attribution.eigen_cam),
}  # fmt: skip


def panel_of(heat: Any, photo: Any, **options: Any) -> np.ndarray:
    """What `draw` puts into a user's axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 3), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    pl.draw(heat, photo, ax=ax, crop=True, title="", **options)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def row(parts: list[tuple[str, np.ndarray]]) -> Image.Image:
    """Panels beside one another under their names."""
    wide = len(parts) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", (wide, SIDE + 24), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(font_file(bold=True), 13)
    for k, (name, pixels) in enumerate(parts):
        sheet.paste(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (k * (SIDE + GAP), 24))
        pen.text((k * (SIDE + GAP), 4), name, "#1d2430", font=font)
    return sheet


def main(names: list[str]) -> None:
    net = pl.load("bundled")
    FOLDER.mkdir(parents=True, exist_ok=True)
    total = 0
    for k, (name, (peer, theirs, ours)) in enumerate(PAIRS.items()):
        if names and name not in names:
            continue
        photo, start = pl.read(f"sample:{PHOTOS[k % len(PHOTOS)]}"), time.perf_counter()
        seen = net.prepare(photo)
        index = net.predict(photo).ranked[0][0].index
        shown = np.rint(255 * seen.pixels[0].permute(1, 2, 0).numpy()).astype(np.uint8)
        heat = ours(net, photo)
        label = net.predict(photo).ranked[0][0].label
        parts = [
            (label, shown),
            (peer, theirs(net, seen.pixels.float(), index)),
            ("Pellucid", panel_of(heat, photo)),
            ("Pellucid, vivid", panel_of(heat, photo, scheme="vivid")),
        ]
        path = FOLDER / f"{name}.jpg"
        row(parts).save(path, quality=QUALITY, optimize=True)
        total += path.stat().st_size
        print(f"{name}: {path.stat().st_size / 1e3:.0f} kB, {time.perf_counter() - start:.1f} s", flush=True)
    print(f"together {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
