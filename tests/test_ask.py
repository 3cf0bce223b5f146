"""A question as a value, and the question that everyone asks first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

import pellucid as pl
from pellucid.ask import Ask, explain
from pellucid.catalogue import entries
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.methods.synthesis import PRESETS
from pellucid.net import Net, Preprocess
from tests.networks import seeded
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
    pixels = photos(2)
    others += [Ask("occlusion", "dog", {"size": 8, "fill": picture}).key(net, image) for picture in pixels]
    assert len({key, *others}) == 8


def test_recipes_of_one_name_and_other_parts_are_other_questions() -> None:
    net, none = tiny(), photos(1)
    recipe = PRESETS["lucid"]
    asked = [recipe, replace(recipe, steps=7), replace(recipe, transforms=())]
    keys = {Ask("activation_maximisation", "dog", {"preset": one}).key(net, none) for one in asked}
    assert len(keys) == 3
    assert Ask("activation_maximisation", "dog", {"preset": "lucid"}).key(net, none) in keys


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
    with pytest.raises(
        PellucidError, match="cannot use occlusion_labels: it has no target; these can be used: ablation_cam"
    ):
        explain(tiny(), photos(1), methods=["occlusion_labels"])


def test_truth_against_prediction() -> None:
    net, image = tiny(), photos(1)
    best, *_, worst = net.top(image, 3)
    found = explain(net, image, methods=("grad_cam", "gradient_times_input"), truth=worst.label)
    assert [column.name for column in found.columns] == [
        best.label,
        worst.label,
        f"{best.label} rather than {worst.label}",
    ]
    assert found.columns[0].probability == pytest.approx(best.probability)
    for row in found.rows:  # both methods are linear in the target
        first, second, difference = (heat.array for heat in row.maps)
        assert np.allclose(first - second, difference, atol=1e-12)
    right = explain(net, image, methods=("grad_cam",), truth=best.label)
    assert right.columns[1].name == net.top(image, 2)[1].label, (
        "the prediction is the truth: held against the runner-up"
    )
    with pytest.raises(UnknownName, match="no class 'unicorn'"):
        explain(net, image, truth="unicorn")


def test_all_methods_and_what_they_refuse() -> None:
    """A network without an averaging head has no CAM: the others answer, and the refusal is in the notes."""
    net = Net(seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 30 * 38, 3))))
    net = replace(net, preprocess=Preprocess(crop=(32, 40)))
    chosen = [e for e in entries() if e.name in ("cam", "grad_cam", "gradient")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pellucid.catalogue.entries", lambda: tuple(chosen))
        found = explain(net, photos(1), classes=1, methods="all")
    assert [row.method for row in found.rows] == ["grad_cam", "gradient"]
    assert any(note.startswith("Class activation map: CAM needs a head that averages") for note in found.meta.notes)
    with pytest.raises(Refused, match="CAM needs a head"):
        explain(net, photos(1), methods=["cam"])


def test_one_forward_pass_for_all_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    net, runs = tiny(), []
    plain = type(net.module).forward
    net.layers((32, 32))
    monkeypatch.setattr(type(net.module), "forward", lambda self, x: runs.append(1) or plain(self, x))
    # the checks of types draw from Python's generator, the network does not
    monkeypatch.setattr("pellucid.net.tap._draws", lambda *_: False)
    explain(net, photos(1), classes=3, methods=["gradient", "grad_cam", "guided_backprop", "lrp"])
    assert len(runs) == 5, "the prediction, one pass for the pixels' gradients, one for the layer's, one for each rule"
