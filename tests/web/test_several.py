"""Several networks in one explorer: each can be looked at by its id, and methods that compare are asked about all."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.net.nets import Nets
from pellucid.web.answers import ANSWERS
from pellucid.web.session import Session, networks
from tests.networks import ModuleRelu
from tests.web.served import Served
from tests.web.test_pages import SIZES, readable, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINE = {"points": "3", "count": 1}


def module(seed: int) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ModuleRelu().eval()


@pytest.fixture
def here(tmp_path: Path) -> Session:
    """A network, two checkpoints of it, another network, and a folder of images in two of its classes."""
    labels = ["lion", "tiger", "cow", "dog"]
    net, other = (
        replace(pl.load(module(k), size=32, labels=labels), name=name) for k, name in ((0, "small"), (2, "other"))
    )
    run = tmp_path / "run"
    run.mkdir()
    for step in (9, 10):
        torch.save(module(step).state_dict(), run / f"step{step}.pth")
    for name in ("lion", "tiger"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(2):
            Image.radial_gradient("L").rotate(40 * k).convert("RGB").save(tmp_path / "photos" / name / f"{k}.png")
    found = networks([net, str(run), other], {})
    return Session({"folder": str(tmp_path / "session"), "images": [str(tmp_path / "photos")]}, found)


def asked(here: Session, method: str, options: dict[str, Any] | None = None, **nouns: Any) -> Any:
    about = {"method": method, "nouns": nouns, "options": options or {}}
    ((said, _),) = ANSWERS["ask"](here, about, b"")
    return here.store.get(said["key"])


@pytest.mark.slow
def test_they_are_known_by_their_ids_in_their_order(here: Session) -> None:
    said = here.described()["nets"]
    assert [(one["id"], one["name"]) for one in said] == [
        ("n0", "small"), ("n1", "step9"), ("n2", "step10"), ("n3", "other"),
    ]  # fmt: skip
    weights = [one.weights for one in here.nets.values()]
    assert len(set(weights)) == 4
    assert [here.text(number) for number in here.nets] == ["small", "step9.pth", "step10.pth", "other"]
    with pytest.raises(UnknownName, match="n7"):
        here.net("n7")


@pytest.mark.slow
def test_each_is_asked_by_itself(here: Session) -> None:
    answers = [asked(here, "gradient", images="s-panda", net=number).values for number in ("n0", "n1", "n3")]
    assert not (answers[0] == answers[1]).all()
    assert not (answers[0] == answers[2]).all()


@pytest.mark.slow
def test_methods_compare_them(here: Session) -> None:
    (folder,) = here.folders
    found = asked(here, "line", LINE, nets=["n2", "n0"], data=folder)
    assert {one.group for one in found.lines} == {"step10", "small"}
    alone = asked(here, "line", LINE, nets="n0", data=folder)
    assert {one.group for one in alone.lines} == {"small"}
    for nets in (["n0", "n7"], "../run", ["n0", 3], {"n0": 1}):
        with pytest.raises(PellucidError):
            asked(here, "line", LINE, nets=nets, data=folder)


@pytest.mark.slow
def test_they_stand_for_options_too(here: Session) -> None:
    (folder,) = here.folders
    found = asked(here, "gradient_flow", {"checkpoints": {"nets": ["n1", "n2"]}}, data=folder)
    assert {"small", "step9", "step10"} <= set(str(found.describe()).replace("'", " ").replace(",", " ").split())
    for value in ({"nets": ["n9"]}, {"nets": 5}, {"nets": [["n0"]]}, "run", ["n0"]):
        with pytest.raises(PellucidError):
            asked(here, "gradient_flow", {"checkpoints": value}, data=folder)


@pytest.mark.slow
def test_the_lines_that_ask_again_name_them(here: Session) -> None:
    (folder,) = here.folders

    def lines(method: str, **nouns: Any) -> dict[str, str]:
        ((found, _),) = ANSWERS["lines"](here, {"method": method, "nouns": nouns, "options": {}}, b"")
        ast.parse(found["python"])
        return dict(found)

    both = lines("line", nets=["n1", "n3"], data=folder)
    assert 'nets = pl.Nets.of(["step9.pth", "other"], net="small")' in both["python"]
    assert both["shell"].startswith("pellucid line step9.pth other")
    assert "--net small" in both["shell"]
    assert "net=" not in lines("line", nets=["n0", "n3"], data=folder)["python"]
    one = lines("gradient", images="s-panda", net="n2")
    assert 'pl.load("small", weights="step10.pth")' in one["python"]
    assert "--net small --weights step10.pth" in one["shell"]


@pytest.mark.slow
def test_checkpoints_that_are_too_large_are_refused(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nets, "opened", lambda self: self)
    folder = Path(here.folder).with_name("run")
    with pytest.raises(PellucidError, match=r"2 checkpoints.*'step9.pth'.*name fewer"):
        networks([here.net("n0"), str(folder)], {})


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_page_chooses_among_them(size: str, tmp_path: Path, photos: Path, paged: Callable[..., Page]) -> None:
    """The one that is chosen stays in the address, from page to page; a method of several has them in an order."""
    from playwright.sync_api import expect

    page = paged(*SIZES[size])
    with Served(tmp_path, str(photos), "--net", "bundled", "--net", "bundled") as server:
        server.ready()
        page.goto(f"{server.link}#/start/s-panda")
        settled(page)
        chooser = page.get_by_label("Network", exact=True)
        chooser.select_option("n1")
        page.wait_for_url("**#/start/s-panda?net=n1")
        settled(page)
        readable(page)
        page.get_by_role("link", name="Why? Compare explanations").click()
        settled(page)
        assert "net=n1" in page.url
        page.goto(f"{server.link}#/method/line")
        settled(page)
        order = page.get_by_role("list", name="Networks, in this order")
        expect(order.get_by_role("listitem")).to_have_count(2)
        order.get_by_role("button", name="earlier").nth(1).press("Enter")
        page.wait_for_url(lambda url: "nets=n1,n0" in url)
        order.get_by_role("button", name="leave out").first.press("Enter")
        expect(order.get_by_role("listitem")).to_have_count(1)
        readable(page)
        page.goto(f"{server.link}#/start/s-panda?net=n7")
        expect(page.locator("h1")).to_have_text("There is no such network")
        page.get_by_role("button", name="Look at").click()
        settled(page)
        assert "net=" not in page.url
