"""Style transfer: its terms in plain numpy, proportions, what it begins as, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.methods.synthesis.style_transfer import _Transfer, style_transfer
from pellucid.net import Net, Preprocess
from pellucid.render.regularizers import variation
from tests.methods.synthesis.test_texture import Fixed, Small, net, slow_features, slow_gram, stripes


def photo() -> Images:
    """A slope with a bright disc."""
    rows, columns = np.mgrid[:18, :28]
    disc = (rows - 9) ** 2 + (columns - 10) ** 2 < 25
    values = np.stack([rows / 30 + 0.3 * disc, columns / 50 + 0.3 * disc, 0.2 + 0.5 * disc])
    return Images.from_pictures([torch.from_numpy(values)], ["disc"])


def terms(picture: np.ndarray, work: _Transfer) -> tuple[float, float]:
    """Content lost and style missed, in numpy; of the small network the stages are relu#2 and relu#1 the widest."""
    module = work.net.module
    assert isinstance(module, Small)
    assert (work.content, work.layers) == ("relu#1", ("relu#1",))
    (found, content, style) = (
        slow_features(module, one)[0].clip(0) for one in (picture, work.picture[0].numpy(), work.style[0].numpy())
    )
    wanted, styled = slow_gram(style), slow_gram(found)
    lost = ((found - content) ** 2).sum() / (content**2).sum()
    return float(lost), float(((styled - wanted) ** 2).sum() / (wanted**2).sum())


def test_terms_and_loss_are_the_formulas() -> None:
    work = _Transfer(net(), photo().pixels, stripes(20, 28).pixels, (0.3, 2, 0.1))
    x = torch.rand(1, 3, 18, 28, dtype=torch.float64)
    told, expected = [float(one.detach()) for one in work.terms((18, 28))(x)], terms(x[0].numpy(), work)
    assert told == pytest.approx(expected, rel=1e-6)
    corner = x[0, :, :-1, :-1]
    rough = float((x[0, :, :-1, 1:] - corner).square().sum() + (x[0, :, 1:, :-1] - corner).square().sum())
    assert float(variation(x)) == pytest.approx(rough)
    whole = 0.3 * expected[0] + 2 * expected[1] + 0.1 * rough / (0.225**2 * x.numel())
    assert float(work.lossy((18, 28))(x).detach()) == pytest.approx(whole, rel=1e-6)


def test_what_is_told_is_true_of_the_finished_picture() -> None:
    made = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=30)
    assert made.pixels.shape == (1, 18, 28, 3)
    work = _Transfer(net(), photo().pixels, stripes(20, 28).pixels, (0.05, 1, 0.01))
    lost, missed = terms(made.pixels[0].transpose(2, 0, 1) / 255.0, work)
    assert made.facts["content lost"][0] == pytest.approx(lost, rel=1e-5)
    assert made.facts["style missed"][0] == pytest.approx(missed, rel=1e-5)
    before = terms(photo().pixels[0].numpy(), work)
    assert before[0] == 0
    assert missed < 0.3 * before[1], "nearer to the style than the content was"


@pytest.mark.slow
def test_balance_pulls_where_they_should() -> None:
    content = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=20, loss_weights=(1, 0, 0))
    assert np.abs(content.pixels.astype(int) - content.beside["content"]).max() <= 2, "it began as the content"
    style = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=40, loss_weights=(0, 1, 0))
    both = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=40, loss_weights=(1, 1, 0))
    smooth = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=40, loss_weights=(0, 1, 1))
    assert style.facts["style missed"][0] < both.facts["style missed"][0]
    assert style.facts["content lost"][0] > both.facts["content lost"][0]
    roughness = [float(variation(torch.from_numpy(one.pixels / 255.0).permute(0, 3, 1, 2))) for one in (style, smooth)]
    assert roughness[1] < 0.7 * roughness[0]


def test_it_begins_as_the_content_or_as_noise() -> None:
    def made(**how: object) -> np.ndarray:
        return style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=2, **how).pixels  # type: ignore[no-any-return]

    assert np.array_equal(made(), made())
    assert not np.array_equal(made(), made(seed=0))
    assert not np.array_equal(made(seed=0), made(seed=1))
    assert np.array_equal(made(seed=1), made(seed=1))
    adam = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=40, optimizer="adam")
    first = style_transfer(net(), photo(), style=stripes(20, 28), size=28, steps=1)
    assert adam.facts["style missed"][0] < first.facts["style missed"][0]


def test_every_picture_keeps_its_proportions(tmp_path: Path) -> None:
    """At the style's scale, whatever its own proportions; the style is whatever `read` takes."""
    Image.fromarray((stripes(40, 20).pixels[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(
        tmp_path / "s.png"
    )
    both = photo() + Images.from_pictures([torch.rand(3, 30, 15).double()], ["tall"])
    made = style_transfer(net(), both, style=str(tmp_path / "s.png"), size=20, steps=2)
    assert [one.shape for one in made.pixels] == [(13, 20, 3), (20, 10, 3)]
    assert made.beside["style"].shape == (2, 20, 10, 3)
    assert made.meta.nouns["style"] == {"images": ("s.png",)}
    assert any(note.startswith("layers of content: relu#1; style: relu#1") for note in made.meta.said)


def test_the_painting_that_comes_with_it() -> None:
    made = style_transfer(net(), photo(), size=28, steps=2)
    named = style_transfer(net(), photo(), style="sample:starry_night", size=28, steps=2)
    assert np.array_equal(made.pixels, named.pixels)
    assert max(pl.read("sample:starry_night").pictures[0].shape) == 384


def test_one_channel_and_a_network_of_one_size() -> None:
    gray = Net(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3, stride=2)).double(), "gray", Preprocess(channels=1))
    assert style_transfer(gray, photo(), style=stripes(20, 28), size=28, steps=2).pixels.shape == (1, 18, 28, 1)
    made = style_transfer(net(Fixed()), photo(), style=stripes(20, 28), size=28, steps=2)
    assert made.pixels.shape == (1, 24, 24, 3)
    assert any(
        note.startswith("disc: ") and "takes no input of 18×28: it sees it as it classifies it" in note
        for note in made.meta.said
    )


def test_what_cannot_be_styled_is_refused() -> None:
    with pytest.raises(PellucidError, match="style: these are 2 images, give one"):
        style_transfer(net(), photo(), style=photo() + stripes(20, 28))
    with pytest.raises(PellucidError, match="none below 0"):
        style_transfer(net(), photo(), loss_weights=(1, -1, 0))
    with pytest.raises(PellucidError, match="loss_weights="):
        style_transfer(net(), photo(), loss_weights=(1, 2))
    with pytest.raises(PellucidError, match="style_transfer: style="):
        style_transfer(net(), photo(), style=7)
    with pytest.raises(PellucidError, match="nowhere"):
        style_transfer(net(), photo(), style="nowhere.jpg")
    blind = Small()
    blind.one.weight.data.zero_()
    blind.one.bias.data.zero_()
    with pytest.raises(Refused, match="answers 0 to the content"):
        style_transfer(net(blind), photo(), style=stripes(20, 28), size=28)
