"""The public face is exactly this; nothing slips in or out unseen."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import pellucid as pl

FACE = {
    "Ask", "Data", "Heatmap", "History", "Images", "Net", "Nets", "PellucidError", "Result", "Store", "__version__",
    "activations", "attribution", "bias", "blocks", "captions", "draw", "entries", "examples", "explain", "film",
    "filters", "find", "images", "inherent", "load", "landscape", "localization", "net", "open", "progress", "proxies",
    "quality", "read", "representation", "resumable", "serve", "show_progress", "spread", "synthesis", "target",
    "training", "units",
}  # fmt: skip
BESIDE = {
    "localization": {"ClassPairs", "Truth", "boxes", "masks"},
    "quality": {"annotate", "check", "joined"},
    "synthesis": {"PARTS", "PRESETS", "Recipe"},
    "training": {"Watch", "hugging_face_watch", "keras_watch", "lightning_watch", "watch"},
    "units": {"Concepts", "Index", "Indexes", "Unit", "index", "table"},
}  # fmt: skip
"""What chapters offer besides their methods."""


def test_the_face() -> None:
    assert set(pl.__all__) == FACE == set(dir(pl))


@pytest.mark.parametrize("chapter", sorted({entry.chapter for entry in pl.entries()}))
def test_a_chapter_offers_its_methods_and_little_else(chapter: str) -> None:
    offered, methods = getattr(pl, chapter), {entry.name: entry for entry in pl.entries() if entry.chapter == chapter}
    assert set(offered.__all__) == {*methods} | BESIDE.get(chapter, set())
    for name in offered.__all__:
        assert not inspect.ismodule(getattr(offered, name)), "the file of a method stands for the method"
    for name, entry in methods.items():
        assert getattr(offered, name) is entry.function


@pytest.mark.parametrize("name", sorted(FACE))
def test_every_name_is_there(name: str) -> None:
    assert getattr(pl, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'grad_cam'"):
        pl.grad_cam  # noqa: B018


@pytest.mark.slow
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


def test_a_name_that_is_nearly_right_is_answered_with_where_it_is() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'gradcam'; nearest: pl\.attribution\.grad_cam"):
        _ = pl.gradcam
    with pytest.raises(AttributeError, match=r"no attribute 'gradcam'; nearest: pl\.attribution\.grad_cam"):
        _ = pl.attribution.gradcam
    with pytest.raises(AttributeError, match=r"no attribute 'Heatmpa'; nearest: pl\.Heatmap"):
        _ = pl.Heatmpa
    with pytest.raises(AttributeError, match=r"no attribute 'zzzz'$"):
        _ = pl.zzzz
