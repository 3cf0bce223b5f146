"""Pictures that cannot be read any more cost their own part of every answer; ranks are those before a ceiling."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import BadImage, PellucidError
from pellucid.images.concepts import Concepts
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.activations import sampled
from pellucid.index.active import Judged
from pellucid.index.exceeded import exceeded
from pellucid.index.overlap import passed
from pellucid.index.spread import spread
from pellucid.index.unit import Unit
from pellucid.methods.representation import map as map_of
from pellucid.methods.representation import neighbors
from pellucid.net import Net, Preprocess
from tests.methods.units.marked import painted
from tests.sweep.made import photos, small

UNIT = "act:1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made")
    folder = photos(home / "photos", 14, classes=2)
    pl.units.index(small(), folder, store=home / "x.index", embed=["second"], count=14, thumbnail_side=0)
    return home


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Index:
    """Of pictures of which one of each class is lost, that were among the strongest of every unit."""
    shutil.copytree(made / "photos", tmp_path / "photos")
    shutil.copytree(made / "x.index", tmp_path / "x.index")
    found = Index.of(tmp_path / "x.index").with_net(small()).with_images(tmp_path / "photos")
    for image in (3, 9):
        (tmp_path / "photos" / found.source.name(image)).write_bytes(b"gone")
    return found


ASKED = {
    "top_images": lambda index: pl.units.top_images(index, UNIT, count=14),
    "page": lambda index: pl.units.page(index, UNIT),
    "neuron_feature": lambda index: pl.units.neuron_feature(index, UNIT),
    "selectivity": lambda index: pl.units.selectivity(index, UNIT, resamples=3),
    "reconstruction": lambda index: pl.units.reconstruction(index, UNIT, count=14),
    "similar": lambda index: pl.units.similar(index, UNIT, metric="activation"),
    "ablation": lambda index: pl.units.ablation(index, UNIT, count=14),
    "color": lambda index: pl.units.color(index, layers=["act"]),
    "table": lambda index: pl.units.table(index, where="color_selectivity > -9"),
    "map": map_of,
    "neighbors": lambda index: neighbors(index, str(index.moved) + "/" + index.source.name(1), count=14),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_lost_picture_costs_its_own_part(index: Index, name: str) -> None:
    notes = ASKED[name](index).meta.said
    assert [sum(index.source.name(image).rpartition("/")[2] in note for note in notes) for image in (3, 9)] == [1, 1]


def test_nothing_that_is_measured_without_a_picture_is_kept(index: Index, made: Path) -> None:
    """What others get from the index later must not depend on what could be read today."""
    here = pl.units.table(index, where="layer = 'act'", columns=("color_selectivity",), max_rows=0)
    assert index.store.kept("color_selectivity") is None
    gone = exceeded(index, ["act"], 0.1)[0]
    assert index.store.kept("exceeded-0.1-act") is None
    whole = Index.of(made / "x.index").with_net(small())
    there = pl.units.table(whole, where="layer = 'act'", columns=("color_selectivity",), max_rows=0)
    assert whole.store.kept("color_selectivity") is not None
    assert not np.array_equal(gone, exceeded(whole, ["act"], 0.1)[0])
    mine, theirs = (np.array(table["color_selectivity"], float) for table in (here, there))
    assert np.abs(mine - theirs).max() < 0.1, "a lost picture counted as one whose gray version excites nothing"
    assert np.abs(mine - theirs).max() > 0


def test_an_atlas_is_of_what_can_be_read(index: Index) -> None:
    assert len(sampled(index, "act", 50, 0).rows) == 12


def test_pictures_of_an_index_go_through_the_network_in_the_order_asked(index: Index) -> None:
    asked, found, met = np.array([5, 3, 9, 1, 0]), [], []
    over = index.over(asked, layers=["act"], stop=True, batch=2)
    for batch in over:
        met += batch.numbers
        found.append(batch.run.at["act"].detach())
    assert met == [0, 3, 4]
    assert set(over.unreadable) == {index.source.name(3), index.source.name(9)}
    alone = [index.net.run(index.net.prepare(index.read(i)), layers=["act"]).at["act"].detach() for i in (5, 1, 0)]
    torch.testing.assert_close(torch.cat(found), torch.cat(alone))
    with pytest.raises(BadImage, match="none of the 2 images of the index can be read"):
        list(index.over([3, 9]))
    with pytest.raises(PellucidError, match="none of the images of the index can be read"):
        index.over([])
    shutil.rmtree(str(index.moved))
    with pytest.raises(PellucidError) as error:
        list(Index.of(index.store).with_net(small()).with_images(str(index.moved)).over([0]))
    assert "none of the" not in str(error.value), "it is the folder that is gone"


def test_where_all_are_lost_one_line_says_so(index: Index) -> None:
    for file in Path(str(index.moved)).rglob("*.png"):
        file.write_bytes(b"gone")
    with pytest.raises(PellucidError, match=r"none of the strongest images of act:1 can be read any more"):
        pl.units.neuron_feature(index, UNIT)


class Capped(nn.Module):
    """How red each place is, and how blue, cut off at 6 almost everywhere that it is either."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.act, self.head = nn.Conv2d(3, 2, 3, padding=1, stride=2), nn.ReLU6(), nn.Linear(2, 2)
        with torch.no_grad():
            self.mix.weight.zero_()
            for unit, colors in enumerate(((60.0, -60, -60), (-60.0, -60, 60))):
                self.mix.weight[unit, :, 1, 1] = torch.tensor(colors)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.mix(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Path]:
    folder = painted(tmp_path_factory.mktemp("marked"), 14)
    for i, file in enumerate(sorted((folder / "images").iterdir())):  # of other strengths, so that there is an order
        pixels = np.asarray(Image.open(file)) * (0.5 + (i * 5 % 14) / 28)
        pixels[:, ::2] *= np.linspace(0.9, 1, pixels.shape[0])[:, None, None]  # and of other strengths inside
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    net = Net(Capped(), "capped", Preprocess(resize=32, crop=(32, 32), interpolation="nearest"))
    source = Source.of(folder / "images")
    return pl.units.index(net, source, store=folder / "x.index", layers=["act"], count=14), folder


def peaks(index: Index) -> np.ndarray:
    """(pictures, units, places): what the activation with the ceiling receives."""
    pixels = torch.cat([index.net.prepare(index.read(i)).pixels for i in range(index.plan.images)])
    with torch.no_grad():
        return index.net.run(pixels, layers=["mix"]).at["mix"].flatten(2).numpy()


def test_strips_of_dissection_are_ranked_before_the_ceiling(capped: tuple[Index, Path]) -> None:
    index, folder = capped
    concepts = Concepts.of(folder)
    seen = passed(index, concepts, Judged.by(index, ["act"], 0.05), (1, 2, 3), np.zeros(3, int), 5)
    received = peaks(index).max(2)
    assert (np.sort(received, 0)[-5:] > 6).all(), "nothing reaches the ceiling: the test tests nothing"
    for unit in (0, 1):
        assert seen.images[unit].tolist() == np.argsort(-received[:, unit], kind="stable")[:5].tolist()
        assert (seen.values[unit] == 6).all(), "values are those of the unit"


def test_a_spread_is_placed_where_it_receives_most(capped: tuple[Index, Path]) -> None:
    index, _ = capped
    found, received = spread(index, Unit("act", 0)), peaks(index)
    placement, numbers = index.plan.units.placements[0], {index.source.name(i): i for i in range(14)}
    assert placement is not None
    rows, columns = placement.centers(16, 16)
    for name, box in zip(found.names, found.boxes, strict=True):
        place = int(received[numbers[name], 0].argmax())
        middle = (box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5
        assert middle == (rows[place // 16], columns[place % 16])
