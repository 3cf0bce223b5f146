"""The catalogue: declarations become options, nouns and Meta."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from pydantic import Field

from pellucid.catalogue import allowed, entries, find, method, options_of
from pellucid.errors import PellucidError, UnknownName
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import BEST, Logit, Target
from tests.plugged import offered

ASKED: list[object] = []


@method("Toy", source="Nobody 2026, section 1")
def toy(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    size: Annotated[int, Field(ge=1, le=9, description="a size")] = 3,
    kind: Annotated[Literal["a", "b"], Field(description="a kind")] = "a",
    on: Annotated[bool, Field(description="a switch")] = False,
) -> Heatmap:
    """A toy: (N, 1, 1)."""
    ASKED[:] = [net, images, target, size, kind, on]
    return Heatmap(np.zeros((1, 1, 1)), Placement.pixels(), images.views)


NET = Net(torch.nn.Identity(), "toy net")
IMAGE = Images.from_pictures([torch.rand(3, 4, 4)], ["x"])


def test_nouns_are_made_and_options_filled_in() -> None:
    result = toy(NET, IMAGE, "tiger cat", kind="b")
    assert [NET, IMAGE, Logit("tiger cat"), 3, "b", False] == ASKED
    assert result.meta.options == {"size": 3, "kind": "b", "on": False}
    assert (result.meta.method, result.meta.target, result.meta.net) == ("toy", "tiger cat", "toy net")
    assert toy(images=IMAGE, net=NET).meta.target == "best guess"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {}, "toy needs net: toy\\(net, images, target\\)"),
        ((NET,), {}, "toy needs images"),
        ((NET, IMAGE, 1, 3), {}, "its options are given by name"),
        ((NET, IMAGE), {"sise": 3}, "no option of toy 'sise'; nearest of 3: size"),
        ((NET, IMAGE), {"size": 0}, "toy: size=0: input should be greater than or equal to 1"),
        ((NET, IMAGE), {"size": 10}, "toy: size=10: input should be less than or equal to 9"),
        ((NET, IMAGE), {"size": "x" * 500}, "toy: size='xxx"),
        ((NET, IMAGE), {"kind": "c"}, "toy: kind='c': input should be 'a' or 'b'"),
    ],
)
def test_refusals_repeat_the_question(arguments: tuple[object, ...], options: dict[str, object], message: str) -> None:
    with pytest.raises(PellucidError, match=message) as error:
        toy(*arguments, **options)
    assert len(str(error.value)) < 200


def test_what_an_option_may_be() -> None:
    fields = options_of(toy.__wrapped__).model_fields  # type: ignore[attr-defined]
    assert [allowed(field) for field in fields.values()] == ["1 to 9", "a | b", "yes | no"]
    assert allowed(find("grad_cam").options.model_fields["layer"]) == "text"
    assert allowed(find("occlusion").options.model_fields["stride"]) == "number"


def test_listing_reads_the_source_and_agrees_with_it() -> None:
    for entry in entries():
        assert (entry.function.title, entry.function.source) == (entry.title, entry.source)


def test_unknown_method() -> None:
    with pytest.raises(UnknownName, match=r"no method 'gradcam'; nearest of [0-9]+: grad_cam"):
        find("gradcam")


def test_british_spelling_is_understood() -> None:
    assert find("activation_maximisation") is find("activation_maximization")
    assert find("training.initialisation") is find("initialization")


def test_methods_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    with offered(monkeypatch, EntryPoint("toy", f"{__name__}:toy", "pellucid.methods")):
        assert find("toy").function is toy
        assert find("toy").title == "Toy"
