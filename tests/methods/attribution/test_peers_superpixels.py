"""The same superpixels and scores through the authors' lime package and captum: where they agree and where not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import pellucid as pl
from tests.methods.attribution.test_oracles import pictures
from tests.methods.attribution.test_superpixels import GRID, by_superpixel, curved, labels

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_lime_the_package() -> None:
    """The authors' own code on the same image, segments and score: equal within the errors of both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lime_image = pytest.importorskip("lime.lime_image")
    net, x = curved(), pictures()

    def scores(images: np.ndarray) -> np.ndarray:
        found: np.ndarray = net.run(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()).output.numpy()
        return found

    explainer = lime_image.LimeImageExplainer(kernel_width=0.25, random_state=0)
    picture = x.pixels[0].permute(1, 2, 0).contiguous().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = explainer.explain_instance(
            picture, scores, labels=(0,), top_labels=None, num_samples=4000, segmentation_fn=lambda _: labels()
        )
    heat = pl.attribution.lime(net, x, 0, samples=4000, fill="superpixel", **GRID)
    ours, error = by_superpixel(heat, labels()), by_superpixel(heat, labels(), "error")
    expected = np.array([dict(theirs.local_exp[0])[k] for k in range(6)])
    assert (abs(ours - expected) < 4 * np.sqrt(2) * error).all()
    assert np.abs(ours - expected).max() < 0.1 * np.abs(expected).max()
    assert float(heat.meta.said[0].rpartition("= ")[2]) == pytest.approx(theirs.score, abs=0.03)


def test_quickshift_is_that_of_the_lime_package() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrappers = pytest.importorskip("lime.wrappers.scikit_image")
    from pellucid.saliency.superpixels import superpixels

    one = pl.load("bundled").prepare(pl.read("sample:espresso"))
    theirs = wrappers.SegmentationAlgorithm("quickshift", kernel_size=4, max_dist=200, ratio=0.2, random_seed=0)(
        one.pixels[0].permute(1, 2, 0).double().numpy()
    )
    ours = superpixels(one, "quickshift", 1)
    pairs = {(a, b) for a, b in zip(ours.flat, np.asarray(theirs).flat, strict=True)}
    assert len(pairs) == len(set(ours.flat)) == len(set(np.asarray(theirs).flat))


def captums(name: str, **options: Any) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attr = pytest.importorskip("captum.attr")
        net, x = curved(), pictures().pixels
        found = getattr(attr, name)(lambda p: net.run(p).output).attribute(
            x,
            baselines=torch.full_like(x, 0.5),
            target=0,
            feature_mask=torch.from_numpy(labels())[None, None],
            **options,
        )
    array = found[0, 0].detach().numpy()
    return np.array([array[labels() == k][0] for k in range(6)])


def test_captums_shapley_value_sampling() -> None:
    torch.manual_seed(0)
    exact = by_superpixel(pl.attribution.kernel_shap(curved(), pictures(), 0, samples=62, **GRID), labels())
    heat = pl.attribution.shapley_sampling(curved(), pictures(), 0, permutations=400, **GRID)
    error = by_superpixel(heat, labels(), "error")
    theirs = captums("ShapleyValueSampling", n_samples=400)
    assert (abs(theirs - exact) < 4.5 * error + 1e-6).all()
    assert (abs(by_superpixel(heat, labels()) - exact) < 4 * error).all()


def test_captums_kernel_shap_is_near_but_not_exact() -> None:
    """Captum enforces the sum by weights of 10⁶ on both ends and draws without complements: near, in float32 (T21)."""
    torch.manual_seed(0)
    exact = by_superpixel(pl.attribution.kernel_shap(curved(), pictures(), 0, samples=62, **GRID), labels())
    theirs = captums("KernelShap", n_samples=4000)
    assert np.abs(theirs - exact).max() < 0.1 * np.abs(exact).max()
    assert np.abs(theirs - exact).max() > 1e-6
    assert theirs.dtype == np.float32
