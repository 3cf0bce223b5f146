"""Kinds of answers of an index with labels, in a browser: who can read them, and how a person decides by keys alone."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.web.served import Served
from tests.web.test_pages import SIZES, seen, settled, tabbed

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

COLORS = ("red", "green", "blue")
ASKED = {"nearest": "nearest?image=i-i0-3&count=4", "influence": "influence?image=i-i0-30&count=3",
         "mislabeled": "mislabeled?count=5&second=colors&noise=0"}  # fmt: skip
"""Methods that give cases, and suspects."""
MODEL = """
import torch
from torch import nn
class Colors(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Linear(6, 3)
        with torch.no_grad():
            self.conv.weight[:3, :, 0, 0], self.conv.weight[3:, :, 0, 0] = torch.eye(3), -torch.eye(3)
            self.head.weight[:, :3], self.head.weight[:, 3:] = 5 * torch.eye(3), -5 * torch.eye(3)
    def forward(self, x):
        return self.head(self.relu(self.conv(x)).mean((2, 3)))
torch.manual_seed(0)
net = Colors().eval()
"""


@pytest.fixture(scope="module")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with an index of sixty red, green and blue pictures, of which red4 has the label of a green one; its
    network tells them apart.
    """
    folder = tmp_path_factory.mktemp("labeled")
    chance = np.random.default_rng(2)
    for k in range(60):
        name, pixels = COLORS[k % 3], chance.random((6, 6, 3)) * 0.3
        pixels[..., k % 3] += 0.6
        label = "green" if (name, k // 3) == ("red", 4) else name
        (folder / "photos" / label).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((255 * pixels.repeat(8, 0).repeat(8, 1)).astype(np.uint8))
        picture.save(folder / "photos" / label / f"{name}{k // 3}.png")
    (folder / "model.py").write_text(MODEL)
    (folder / "labels.txt").write_text("\n".join(COLORS))
    net = ["--net", f"{folder / 'model.py'}:net", "--labels", str(folder / "labels.txt"), "--input-size", "48"]
    index = folder / "photos.index"
    words = [sys.executable, "-m", "pellucid", "index", str(folder / "photos"), "--store", str(index), "--quiet", *net]
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "XDG_CACHE_HOME")}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    with Served(folder, *net, "--index", str(index)) as found:
        found.ready()
        yield found
        failures = found.failures()
    assert not failures, failures


def answered(page: Page, server: Served, method: str) -> None:
    """Ask, and wait for the answer."""
    from playwright.sync_api import expect

    page.goto(f"{server.link}#/method/{ASKED[method]}")
    settled(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("link", name="NPZ")).to_be_visible(timeout=240_000)
    settled(page)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("method", ASKED)
def test_everybody_can_use_it(method: str, size: str, labeled: Served, paged: Callable[..., Page]) -> None:
    page = paged(*SIZES[size], reduced_motion="reduce")
    answered(page, labeled, method)
    seen(page, f"kind-{method}-{size}")
    tabbed(page)


def test_a_case_is_told_in_words(labeled: Served, page: Page) -> None:
    """What its frame says in color, words and signs say too."""
    from playwright.sync_api import expect

    answered(page, labeled, "nearest")
    blue = page.get_by_role("region", name="blue")
    expect(blue.get_by_role("listitem").first).to_contain_text("✓")
    expect(page.get_by_text("The image that is asked about")).to_have_count(1)


def test_labels_are_decided_about_by_keys_alone(labeled: Served, page: Page) -> None:
    from playwright.sync_api import expect

    answered(page, labeled, "mislabeled")
    wrong = page.get_by_role("region", name="suspect 1:")
    expect(wrong).to_contain_text("red4.png")
    accept = wrong.get_by_role("button", name="Accept red")
    accept.press("Enter")
    expect(accept).to_have_attribute("aria-pressed", "true")
    expect(wrong.get_by_role("status")).to_have_text("becomes red")
    other = page.get_by_role("region", name="suspect 2:")
    box = other.get_by_role("combobox")
    box.fill("no such class")
    box.press("Enter")
    expect(other.get_by_role("status")).to_contain_text("there is no class no such class")
    expect(box).to_have_attribute("aria-invalid", "true")
    other.get_by_role("button", name="Remove").press("Space")
    expect(other.get_by_role("status")).to_have_text("will be left out")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download decisions.csv").press("Enter")
    rows = list(csv.reader(taken.value.path().read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["image", "given", "decision", "label"]
    assert [row[2:] for row in rows[1:]] == [["accept", "red"], ["remove", ""]]
    page.get_by_label("undecided only").press("Space")
    expect(page.get_by_role("region", name="suspect")).to_have_count(3)
    page.reload()
    expect(wrong.get_by_role("status")).to_have_text("becomes red")
