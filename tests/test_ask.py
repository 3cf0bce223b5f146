"""A question as a value, and the question that everyone asks first."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.ask import Ask, explain
from pellucid.errors import PellucidError, UnknownName
from tests.test_every_method import photos, tiny


def test_equal_questions_have_equal_keys_and_others_do_not() -> None:
    net, image = tiny(), photos(1)
    key = Ask("occlusion", "dog", {"size": 8}).key(net, image)
    assert key == Ask("occlusion", "dog", {"size": 8, "stride": 16}).key(tiny(), image)  # the default, said aloud
    others = [
        Ask("occlusion", "cat", {"size": 8}).key(net, image),
        Ask("occlusion", "dog", {"size": 9}).key(net, image),
        Ask("grad_cam", "dog").key(net, image),
        Ask("occlusion", "dog", {"size": 8}).key(net, photos(2)[1]),
    ]
    net.module.head.bias.data += 1  # type: ignore[union-attr, operator]
    others.append(Ask("occlusion", "dog", {"size": 8}).key(net, image))
    assert len({key, *others}) == 6


def test_answers_are_those_of_the_method() -> None:
    net, image = tiny(), photos(1)
    heat = Ask("grad_cam", "dog", {"against": True}).answer(net, image)
    assert np.array_equal(heat.array, pl.attribution.grad_cam(net, image, "dog", against=True).array)  # type: ignore[attr-defined]
    with pytest.raises(PellucidError, match="occlusion_labels has no target: it takes net, images"):
        Ask("occlusion_labels", "dog").answer(net, image)
    with pytest.raises(UnknownName, match="no method 'gradcam'"):
        Ask("gradcam").answer(net, image)


def test_explain_asks_every_method_about_every_guess() -> None:
    net, image = tiny(), photos(1)
    found = explain(net, image, classes=2, methods=("grad_cam", "occlusion"))
    assert [guess.label for guess in found.guesses] == [guess.label for guess in net.top(image, 2)]
    assert [row.method for row in found.rows] == ["grad_cam", "occlusion"]
    for row in found.rows:
        assert [heat.meta.target for heat in row.maps] == [guess.label for guess in found.guesses]
    alone = pl.attribution.occlusion(net, image, found.guesses[1], **found.rows[1].maps[1].meta.options)
    assert np.array_equal(found.rows[1].maps[1].array, alone.array)
    assert found.picture.shape == (32, 40, 3)
    assert found.meta.versions == net.predict(image).meta.versions == alone.meta.versions != {}


def test_explain_refuses_what_it_cannot() -> None:
    with pytest.raises(PellucidError, match="one image, these are 2"):
        explain(tiny(), photos(2))
    with pytest.raises(PellucidError, match="cannot use occlusion_labels: it has no target; these have: cam"):
        explain(tiny(), photos(1), methods=["occlusion_labels"])
