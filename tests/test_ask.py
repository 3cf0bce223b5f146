"""A question as a value, and the question that everyone asks first."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.ask import Ask, explain
from pellucid.catalogue import Entry, entries
from pellucid.data import Data, NewTask
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.history import History
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.methods.synthesis import PRESETS
from pellucid.methods.units import Index, Indexes, Unit
from pellucid.net import Labels, Net, Preprocess
from pellucid.net.nets import Nets
from pellucid.nouns import Noun
from pellucid.target import Target, Targets
from tests.networks import seeded
from tests.test_every_method import (
    QUICK,
    fitting,
    indexed,
    labeled,
    numbers,
    one_of_each_kind,
    photos,
    several,
    tiny,
    trained,
)

ROOT = Path(__file__).parents[1]


DOG = {"target": "dog"}


def written(entry: Entry) -> dict[str, Any]:
    """What a person would write for what the method asks about, apart from nouns that a program has opened."""
    return entry.placed({Target: "dog", Targets: ["dog", 1], Unit: "block:5"})


def opened(entry: Entry) -> list[Noun]:
    """A network, images and indexes; also those of a kind that the method asks nothing about."""
    net = fitting(entry, tiny())
    index = indexed(net) if entry.asks(Index, Indexes) else None
    nets = Nets.of(several(entry, net))
    data = NewTask.of(labeled()) if entry.asks(NewTask) else labeled()
    data = ImageSet.of(data) if any(issubclass(kind, ImageSet) for kind in entry.nouns.values()) else data
    trainings = [data, nets, History.of(trained())] if entry.asks(Data, NewTask, Nets, History) else []
    return [net, photos(2), *trainings, *([index, index, Indexes.of([index, index])] if index else [])]


@one_of_each_kind
def test_every_question_is_plain_json_and_answers_as_the_method_does(entry: Entry) -> None:
    ask = Ask(entry.name, written(entry), QUICK[entry.name])
    again = Ask.from_json(json.loads(json.dumps(ask.to_json())))
    assert again == ask
    assert again.to_json() == ask.to_json()
    nouns = opened(entry)
    direct = entry.function(**{**written(entry), **entry.filled(nouns)}, **QUICK[entry.name])
    answer = again.answer(*nouns)
    assert np.array_equal(numbers(answer), numbers(direct), equal_nan=True)
    assert answer.meta == direct.meta
    key = ask.key(*nouns)
    aloud = Ask(entry.name, written(entry), answered(answer.meta.options, ask))
    assert key == again.key(*opened(entry)) == aloud.key(*nouns)
    assert key == Ask.of(answer.meta.asked).key(*nouns)
    others = [Ask(entry.name, written(entry), {**ask.options, **change}).key(*nouns) for change in changed(ask)]
    if entry.asks(Images):
        others.append(ask.key(*nouns, **{str(entry.argument(Images)): photos(3)}))
    if entry.asks(Target, Targets):
        others.append(ask.key(*nouns, **{str(entry.argument(Target, Targets)): "cat"}))
    assert len({key, *others}) == 1 + len(others)


def answered(options: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Every option as Meta has it where that is a plain value: the defaults, said aloud."""
    return {name: value for name, value in options.items() if not isinstance(value, Mapping)} | dict(ask.options)


def changed(ask: Ask) -> list[dict[str, Any]]:
    """Another value for a switch, a whole number and a choice."""
    found: dict[type, dict[str, Any]] = {}
    for name, field in ask.entry.options.model_fields.items():
        value = ask.options.get(name, field.default)
        if isinstance(value, bool):
            found[bool] = {name: not value}
        elif isinstance(value, int) and name in ("seed", "count", "steps", "samples"):
            found[int] = {name: value + 1}
        elif get_origin(field.annotation) is Literal:
            found[str] = {name: next(one for one in get_args(field.annotation) if one != value)}
    return list(found.values())


@pytest.mark.slow
def test_a_question_that_is_all_json_opens_what_it_names(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "x.png")
    text = json.dumps(
        {"method": "gradient", "nouns": {"net": "bundled", "images": [str(tmp_path / "x.png")], "target": 3}}
    )
    ask = Ask.from_json(json.loads(text))
    net, image = pl.load("bundled"), pl.read(tmp_path / "x.png")
    assert np.array_equal(ask.answer().array, pl.attribution.gradient(net, image, 3).array)
    assert ask.key() == ask.key(net, image) == Ask("gradient", {"target": 3}).key(net, image)
    assert len({ask.key(), Ask("gradient", {"target": 3}).key(tiny(), image)}) == 2


def test_equal_questions_have_equal_keys_and_others_do_not() -> None:
    net, image = tiny(), photos(1)
    key = Ask("occlusion", DOG, {"size": 8}).key(net, image)
    assert key == Ask("occlusion", DOG, {"size": 8, "fill": "gray"}).key(tiny(), image)  # the default, said aloud
    assert key == Ask("attribution.occlusion", {"target": Target.of("dog")}, size=np.int64(8)).key(image, net)
    others = [
        Ask("occlusion", {"target": "cat"}, {"size": 8}).key(net, image),
        Ask("occlusion", DOG, {"size": 9}).key(net, image),
        Ask("grad_cam", DOG).key(net, image),
        Ask("occlusion", DOG, {"size": 8}).key(net, photos(2)[1]),
        Ask("occlusion", DOG, {"size": 8}).key(replace(net, output="0"), image),
        Ask("occlusion", {"target": ["dog", "cat"]}, {"size": 8}).key(net, image),
        Ask("occlusion", {"target": ["cat", "dog"]}, {"size": 8}).key(net, image),
    ]
    net.module.head.bias.data += 1  # type: ignore[union-attr, operator]
    others.append(Ask("occlusion", DOG, {"size": 8}).key(net, image))
    others += [Ask("occlusion", DOG, {"size": 8, "fill": picture}).key(net, image) for picture in photos(2)]
    assert len({key, *others}) == 11
    sigma = [Ask("smooth_grad", DOG, sigma=one).key(net, image) for one in (1, 1.0)]
    assert sigma[0] == sigma[1]


@pytest.mark.slow
def test_keys_are_the_same_in_every_process() -> None:
    key = Ask("occlusion", DOG, {"size": 8}).key(tiny(), photos(1))
    code = "from tests.test_ask import *; print(Ask('occlusion', DOG, {'size': 8}).key(tiny(), photos(1)))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == key


def test_recipes_of_one_name_and_other_parts_are_other_questions() -> None:
    net, none = tiny(), photos(1)
    recipe = PRESETS["lucid"]
    asked = [recipe, replace(recipe, steps=7), replace(recipe, transforms=())]
    keys = {Ask("activation_maximization", DOG, {"recipe": one}).key(net, none) for one in asked}
    assert len(keys) == 3
    assert Ask("activation_maximization", DOG, {"recipe": "lucid"}).key(net, none) in keys
    assert Ask("activation_maximization", DOG, recipe=recipe) == Ask("activation_maximization", DOG, recipe="lucid")


def test_answers_are_those_of_the_method() -> None:
    net, image = tiny(), photos(1)
    heat = Ask("grad_cam", DOG, {"against": True}).answer(net, image)
    assert np.array_equal(heat.array, pl.attribution.grad_cam(net, image, "dog", against=True).array)
    both = Ask("gradient", {"target": ["dog", "cat"]}).answer(net, image)
    assert [one.meta.target for one in both] == ["dog", "cat"]
    with pytest.raises(PellucidError, match="occlusion_labels has no target: it takes net, images"):
        Ask("occlusion_labels", DOG).answer(net, image)
    with pytest.raises(PellucidError, match="grad_cam needs images"):
        Ask("grad_cam", DOG).answer(net)
    with pytest.raises(UnknownName, match="no method 'gradcam'"):
        Ask("gradcam").answer(net, image)


def test_a_target_is_itself_whatever_its_text_would_be_to_the_network() -> None:
    """The class of number 2 stays it where another class has that name."""
    net, image = replace(tiny(), labels=Labels.plain(["2", "dog", "cow"])), photos(1)
    number, name = pl.target.Logit(2), "2"
    maps = [Ask("gradient", {"target": one}).answer(net, image).array for one in (number, 2, name)]
    assert np.array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])
    again = Ask.from_json(json.loads(json.dumps(Ask("gradient", {"target": number}).to_json())))
    assert np.array_equal(again.answer(net, image).array, maps[0])
    keys = [Ask("gradient", {"target": one}).key(net, image) for one in (number, 2, name)]
    assert keys[0] == keys[1] != keys[2]


def test_what_is_in_memory_only_is_no_json_and_wrong_json_is_refused_by_name() -> None:
    held = [Ask("grad_cam", {"net": tiny()}), Ask("grad_cam", {"images": photos(1)}), Ask("occlusion", fill=photos(1)),
            Ask("grad_cam", {"images": np.zeros((8, 8, 3))})]  # fmt: skip
    for ask in held:
        with pytest.raises(PellucidError, match="is in memory only: name it by text"):
            ask.to_json()
    wrong = {
        "no part of a question 'option'": {"method": "grad_cam", "option": {}},
        "a question without a method": {"options": {}},
        "no method 'gradcam'": {"method": "gradcam", "options": {"a": 1}},
        "no option of grad_cam 'layr'; nearest of 3: layer": {"method": "grad_cam", "options": {"layr": "x"}},
        "grad_cam has no index: it takes net, images, target": {"method": "grad_cam", "nouns": {"index": "x"}},
        "grad_cam: its nouns and its options are values by name": {"method": "grad_cam", "options": ["layer"]},
    }
    for message, document in wrong.items():
        with pytest.raises(PellucidError, match=message):
            Ask.from_json(document)


def test_text_of_questions() -> None:
    for text, ask in {
        "lrp": Ask("lrp"),
        "lrp:composite=epsilon_plus": Ask("lrp", composite="epsilon_plus"),
        "occlusion:size=8,fill=black,per_pixel=yes": Ask("occlusion", size=8, fill="black", per_pixel=True),
        "occlusion:size=8,16,stride=4": Ask("occlusion", size=(8, 16), stride=4),
        "grad_cam:layer=a,b,against=no": Ask("grad_cam", layer=("a", "b"), against=False),
        "inversion:layers=a": Ask("inversion", layers=["a"]),
        "smooth_grad:sigma=0.5,samples=4": Ask("smooth_grad", sigma=0.5, samples=4),
        "smooth_grad:of=lrp:composite=epsilon_plus": Ask("smooth_grad", of=Ask("lrp", composite="epsilon_plus")),
        "activation_maximization:recipe=lucid + jitter(4)": Ask("activation_maximization", recipe="lucid + jitter(4)"),
    }.items():
        assert Ask.of(text) == ask
        assert Ask.of(str(ask)) == ask
        assert hash(Ask.of(text)) == hash(ask)
        assert pickle.loads(pickle.dumps(ask)) == ask
    two = Ask("smooth_grad", of=Ask("occlusion", size=8, stride=8), samples=4)  # as text it would say something else
    assert Ask.from_json(json.loads(json.dumps(two.to_json()))) == two
    with pytest.raises(UnknownName, match="no option of lrp 'composit'"):
        Ask.of("lrp:composit=x")
    with pytest.raises(PellucidError, match="composite has no value: write lrp:composite=VALUE"):
        Ask.of("lrp:composite")
    with pytest.raises(UnknownName, match="no method 'lpr'"):
        Ask.of("lpr")


def test_a_question_that_holds_pixels_is_told_in_a_few_words() -> None:
    fills: list[Any] = [photos(1), np.zeros((8, 8, 3))]
    for fill, said in zip(fills, ("photo 0", "ndarray"), strict=True):
        ask = Ask("occlusion", size=8, fill=fill)
        assert str(ask) == f"occlusion:size=8,fill={said}"
        outer = Ask("smooth_grad", {"target": ["dog"]}, of=ask, samples=2)
        assert outer.options["of"] is ask
        heat = pl.attribution.smooth_grad(tiny(), photos(1), of=ask, samples=2)
        assert heat.meta.options["of"] == str(ask)
        assert outer.key(tiny(), photos(1)) != Ask("smooth_grad", of="occlusion:size=8").key(tiny(), photos(1))
    given = {"target": ["dog", "cat"]}
    assert Ask("gradient", given).key(tiny(), photos(1)) == Ask("gradient").key(tiny(), photos(1), **given)


def test_a_question_is_an_option() -> None:
    """SmoothGrad of LRP under another composite is the mean of that LRP's maps, however the question is written."""
    net, image, how = tiny(), photos(1), {"samples": 3, "seed": 2}
    asked: list[Any] = [Ask("lrp", composite="epsilon"), "lrp:composite=epsilon",
                        {"method": "lrp", "options": {"composite": "epsilon"}}]  # fmt: skip
    maps = [pl.attribution.smooth_grad(net, image, "dog", of=of, **how) for of in asked]
    assert all(np.array_equal(one.array, maps[0].array) for one in maps)
    assert [one.meta.options["of"] for one in maps] == ["lrp:composite=epsilon"] * 3
    other = pl.attribution.smooth_grad(net, image, "dog", of="lrp", **how)
    assert not np.array_equal(other.array, maps[0].array)
    keys = [Ask("smooth_grad", DOG, of=of, **how).key(net, image) for of in [*asked, "lrp", "gradient"]]
    assert len({*keys[:3]}) == 1
    assert len({*keys}) == 3
    assert keys[4] == Ask("smooth_grad", DOG, **how).key(net, image)
    default = pl.attribution.lrp(net, image).meta.options["composite"]
    assert Ask("smooth_grad", DOG, of=f"lrp:composite={default}", **how).key(net, image) == keys[3]
    with pytest.raises(PellucidError, match="leave target out"):
        pl.attribution.smooth_grad(net, image, of=Ask("lrp", DOG))
    with pytest.raises(PellucidError, match="lrp: composite='nothing'"):
        pl.attribution.smooth_grad(net, image, of="lrp:composite=nothing")
    with pytest.raises(PellucidError, match="smooth_grad: of=3: input should be an instance of Ask"):
        pl.attribution.smooth_grad(net, image, of=3)


def test_explain_asks_every_method_about_every_guess() -> None:
    net, image = tiny(), photos(1)
    found = explain(net, image, classes=2, methods=("grad_cam", "occlusion"))
    assert [prediction.label for prediction in found.ranked] == [prediction.label for prediction in net.top(image, 2)]
    assert [row.method for row in found.rows] == ["grad_cam", "occlusion"]
    for row in found.rows:
        assert [heat.meta.target for heat in row.maps] == [prediction.label for prediction in found.ranked]
    alone = pl.attribution.occlusion(net, image, found.ranked[1], **found.rows[1].maps[1].meta.options)
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
    assert any(note.startswith("Class activation map: CAM needs a head that averages") for note in found.meta.said)
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
    told = 4 * 4  # each map three times more with random weights, and once of the moved image
    assert len(runs) == 5 + told, (
        "the prediction, one pass for pixels' gradients, one for the layer's, one for each rule"
    )
