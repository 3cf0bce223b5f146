"""The stage in a browser: frames of a picture and of a camera, its keys, and what it says where there is no camera."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import LAYER
from tests.web.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def begun(page: Page, server: Served, asked: str) -> None:
    """Open the stage, and wait until it says what it sees."""
    page.goto(f"{server.link}#/camera?{asked}")
    page.wait_for_selector(".stage")
    page.wait_for_selector(".said li")


def asked(page: Page) -> dict[str, str]:
    """What stands in the address."""
    script = "Object.fromEntries(new URLSearchParams(location.hash.split('?')[1] || ''))"
    return dict(page.evaluate(script))


def pressed(page: Page, *keys: str) -> dict[str, str]:
    """Press keys, and see what stands in the address then."""
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    return asked(page)


def test_keys_act_while_the_stage_has_the_focus(full: Served, page: Page) -> None:
    begun(page, full, f"layer={LAYER}&unit=20&back=off&freeze=1")
    assert pressed(page, "l")["unit"] == "20"
    page.locator(".mosaic button").focus()
    assert pressed(page, "l")["unit"] == "21"
    assert pressed(page, "ArrowLeft", "j")["unit"] == "19"
    assert pressed(page, "L")["unit"] == "24"
    assert pressed(page, "k", "i")["unit"] == "24"
    assert pressed(page, "o")["layer"] == "blocks.5"
    assert pressed(page, "u")["layer"] == LAYER
    steps = [(found["back"], found.get("look")) for found in (pressed(page, "b") for _ in range(4))]
    assert steps == [("gradient", None), ("gradient", "norm"), ("deconvnet", None), ("off", None)]
    assert pressed(page, "g")["back"] == "guided"
    assert pressed(page, "m")["look"] == "gray"
    assert pressed(page, "d")["held"] == f"{LAYER}:24"
    assert pressed(page, "a")["mosaic"] == "backward"
    assert pressed(page, "0", "t", "T", "8").items() >= {"fit": "stretch", "gamma": "0.6", "scale": "own"}.items()
    assert pressed(page, "f").get("freeze") is None
    page.locator(".rate", has_text="frames/s").wait_for()
    assert pressed(page, "I", "i")["unit"] != "24"
    assert page.locator("nav.reach").count() == 1, "up from the first row are the layers"


def test_every_key_has_a_button(full: Served, page: Page) -> None:
    begun(page, full, f"layer={LAYER}&unit=20&back=off&freeze=1&keys=off")
    page.locator(".mosaic button").focus()
    assert pressed(page, "l")["unit"] == "20", "keys are turned off"
    page.get_by_role("button", name="Keys and settings").click()
    help = page.get_by_role("region", name="Keys of the stage")
    keys = set("".join(help.locator("kbd").all_inner_texts()))
    assert keys >= set("jlikJLIKuofcwe0abnmdzstT89hg")
    help.get_by_role("button", name="Right", exact=False).first.click()
    assert asked(page)["unit"] == "21"
    page.get_by_role("checkbox").check()
    help.get_by_role("button", name="This help").click()
    assert page.evaluate("document.activeElement !== document.body"), "the focus does not go with what had it"
    assert pressed(page, "Escape").keys() <= {"unit"}


def test_a_camera_is_a_source_of_frames(full: Served, page: Page) -> None:
    begun(page, full, "layer=blocks.1&back=off")
    page.locator(".mosaic button").focus()
    assert pressed(page, "c")["from"] == "camera"
    page.locator(".input", has_text="the camera").wait_for()
    page.locator(".rate", has_text="frames/s").wait_for()
    assert "from" not in pressed(page, "c")


def test_where_there_is_no_camera_the_reason_is_said(full: Served, page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    begun(page, full, "from=camera&back=off")
    page.locator(".error", has_text="https").wait_for()
    assert "from" not in asked(page)
    assert re.search(r"panda", page.locator(".said li").first.inner_text())


def test_what_excites_a_unit_is_shown_of_an_index(full: Served, page: Page) -> None:
    begun(page, full, f"layer={LAYER}&unit=20&back=off&freeze=1")
    page.get_by_role("heading", name="Strongest patches").wait_for()
    page.locator(".mosaic button").focus()
    with page.expect_response(lambda one: "preferred" in one.url) as answer:
        pressed(page, "s")
    assert answer.value.ok
    pressed(page, "o")
    assert page.get_by_role("heading", name="Strongest patches").count() == 0, "the index has no such layer"
