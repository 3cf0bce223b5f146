"""The public face is exactly this; nothing slips in or out unseen."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pellucid as pl

FACE = {
    "Ask", "Data", "Heatmap", "History", "Images", "Net", "Nets", "PellucidError", "Result", "__version__",
    "activations", "attribution", "draw", "entries", "explain", "filters", "find", "images", "load", "net", "open",
    "progress", "read", "representation", "synthesis", "target", "units",
}  # fmt: skip
ATTRIBUTION = {
    "ablation_cam", "blur_integrated_gradients", "cam", "deconvnet", "deep_lift", "eigen_cam",
    "excitation_backprop", "expected_gradients", "extremal_perturbation", "finer_cam", "full_grad", "grad_cam",
    "grad_cam_plus_plus", "gradient", "gradient_times_input", "guided_backprop", "guided_grad_cam",
    "guided_integrated_gradients", "hires_cam", "integrated_gradients", "kernel_shap", "layer_cam", "lime", "lrp",
    "occlusion", "occlusion_labels", "occlusion_products", "occlusion_rank", "occlusion_sizes", "rise", "score_cam",
    "shapley_sampling", "smooth_grad", "sobol", "x_grad_cam", "xrai",
}  # fmt: skip
FILTERS = {"channels", "first_layer", "health"}
ACTIVATIONS = {"maps", "profile"}
SYNTHESIS = {
    "PARTS", "PRESETS", "Recipe", "activation_maximisation", "caricature", "deepdream", "diversity", "fooling",
    "fooling_noise", "interpolation", "inversion", "style_transfer", "texture",
}  # fmt: skip
REPRESENTATION = {"atlas", "map", "neighbours", "place"}
UNITS = {
    "Concepts", "Index", "Indexes", "Unit", "ablation", "colour", "compare", "dissection", "evolution", "index",
    "neuron_feature", "page", "receptive_field", "reconstruction", "selectivity", "similar", "table", "top_images",
}  # fmt: skip


def test_the_face() -> None:
    assert set(pl.__all__) == FACE == set(dir(pl))
    assert set(pl.attribution.__all__) == ATTRIBUTION
    assert set(pl.filters.__all__) == FILTERS
    assert set(pl.activations.__all__) == ACTIVATIONS
    assert set(pl.synthesis.__all__) == SYNTHESIS
    assert set(pl.representation.__all__) == REPRESENTATION
    assert set(pl.units.__all__) == UNITS


@pytest.mark.parametrize("name", sorted(FACE))
def test_every_name_is_there(name: str) -> None:
    assert getattr(pl, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'grad_cam'"):
        pl.grad_cam  # noqa: B018


def test_import_is_lazy_and_needs_no_zoo() -> None:
    """Neither torchvision nor timm is imported, nor torch before it is needed; draw can be called as a module."""
    code = (
        "import sys, pellucid as pl\n"
        "assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules), 'import pellucid is not lazy'\n"
        "pl.open, pl.Result\n"
        "assert 'torch' not in sys.modules, 'saved results are read without torch'\n"
        "pl.load, pl.read, pl.attribution, pl.explain\n"
        "assert not {'torchvision', 'timm', 'matplotlib'} & set(sys.modules)\n"
        "assert callable(pl.draw)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "pl.attribution.grad_cam('bundled', 'sample:panda')\n"
        "assert 'torch._dynamo' not in sys.modules, 'tracing waits for the compiler'\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
