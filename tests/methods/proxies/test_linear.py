"""Linear read-outs over depth, against scikit-learn's and against chance."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Study
from pellucid.surrogates.mirrored import Mirrored
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import LAYERS, index


@pytest.fixture(scope="module")
def study() -> Study:
    return pl.proxies.linear(index())


def test_fidelity_grows_over_depth_and_the_control_does_not(study: Study) -> None:
    table = study["layers"]
    assert table["layer"] == LAYERS
    assert list(table["fidelity"]) == sorted(table["fidelity"])
    assert table["fidelity"][-1] > 0.85
    assert max(table["control"]) < 0.3
    assert all(0 < one <= 1 for one in table["stability"])
    assert study["over depth"]["fidelity"].values.tolist() == list(table["fidelity"])


def test_a_read_out_is_that_of_scikit_learn(study: Study) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    mirrored = Mirrored.of(index(), "features.4")
    x = mirrored.features.astype(float)
    sd = x[mirrored.inside].std(0)
    x = (x - x[mirrored.inside].mean(0)) / np.where(sd > 0, sd, np.inf)
    n = len(mirrored.inside)
    fitted = linear.LogisticRegression(C=1 / (0.01 * n), tol=1e-8, max_iter=5000)
    fitted.fit(x[mirrored.inside], mirrored.answers[mirrored.inside])
    same = fitted.predict(x[mirrored.outside]) == mirrored.answers[mirrored.outside]
    assert study["layers"]["fidelity"][1] == pytest.approx(same.mean(), abs=1.1 / len(same))  # its intercept is free


def test_only_some_layers(study: Study) -> None:
    found = pl.proxies.linear(index(), layers=("relu", "features.1"))
    assert found["layers"]["layer"] == ("features.1", "relu")
    assert found["layers"]["fidelity"][1] == study["layers"]["fidelity"][2]
    with pytest.raises(PellucidError, match=r"features\.3"):
        pl.proxies.linear(index(), layers=("features.3",))


def test_the_picture_is_tidy(study: Study) -> None:
    assert_tidy(pl.draw(study))
    assert np.isfinite(study["over depth"]["control"].values).all()
