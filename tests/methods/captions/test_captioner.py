"""The captioner, against the paper's equations in slow float64, and its maps against the attribution methods."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources.scenes import Scenes
from pellucid.learning.captioned import PLACED, PREPROCESS, Pixels, explained, judged, of_scenes, read_table
from pellucid.learning.captioner import END, START, Captioner, Vocabulary, beam_search
from pellucid.learning.train import Recipe
from pellucid.net import Labels, Net
from tests.test_every_method import photos, tiny

WORDS = Vocabulary(("<start>", "<end>", "a", "blue", "cat"))


def small(longest: int = 4) -> Captioner:
    torch.manual_seed(5)
    module = Captioner(WORDS, longest, Pixels(), 32).double().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(2)  # probabilities and attention that are not all alike
    return module


def images(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x)))


def by_hand(module: Captioner, maps: NDArray[np.float64], tokens: list[int]) -> tuple[list[float], NDArray[np.float64]]:
    """(log probability of each token, attention to each cell) of one caption, cell by cell."""
    w = {name: value.detach().numpy() for name, value in module.state_dict().items()}
    rows, columns = maps.shape[1:]
    cells = [
        np.array([*maps[:, i, j], 2 * i / (rows - 1) - 1, 2 * j / (columns - 1) - 1])
        for i in range(rows)
        for j in range(columns)
    ]
    mean = np.mean(cells, 0)
    hidden = np.tanh(w["start_hidden.weight"] @ mean + w["start_hidden.bias"])
    memory = np.tanh(w["start_memory.weight"] @ mean + w["start_memory.bias"])
    before, logs, where = START, [], []
    for token in tokens:
        energies = np.array([
            float(w["energy.weight"][0] @ np.tanh(
                w["by_cell.weight"] @ a + w["by_cell.bias"] + w["by_state.weight"] @ hidden
            ))
            for a in cells
        ])  # fmt: skip
        attention = np.exp(energies) / np.exp(energies).sum()
        beta = sigmoid(w["gate.weight"] @ hidden + w["gate.bias"])[0]
        context = beta * sum(alpha * a for alpha, a in zip(attention, cells, strict=True))
        word = w["words.weight"][before]
        gates = w["lstm.weight_ih"] @ np.concatenate([word, context]) + w["lstm.bias_ih"]
        gates = gates + w["lstm.weight_hh"] @ hidden + w["lstm.bias_hh"]
        i, f, g, o = np.split(gates, 4)
        memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(memory)
        mixed = word + w["from_state.weight"] @ hidden + w["from_state.bias"] + w["from_cells.weight"] @ context
        logits = w["out.weight"] @ mixed + w["out.bias"]
        logs.append(float(logits[token] - np.log(np.exp(logits).sum())))
        where.append(attention)
        before = token
    return logs, np.array(where)


def test_words_and_attention_are_those_of_the_papers_equations() -> None:
    module, tokens = small(), [2, 3, 4, END]
    maps = module.encoder(images())
    logs, where = by_hand(module, maps[0].detach().numpy(), tokens)
    said, found = explained(module, maps, torch.tensor([tokens]))
    assert np.allclose(said[0].numpy(), logs, atol=1e-12)
    assert np.allclose(found[0, :, 0].flatten(1).numpy(), where, atol=1e-12)
    assert np.allclose(found[0, :, 0].flatten(1).sum(1), 1)
    assert np.ptp(where) > 1e-3


def test_the_loss_counts_every_word_once_and_cells_by_their_whole_attention() -> None:
    module, tokens = small(), [2, 3, END, END]
    maps = module.encoder(images())
    logs, where = by_hand(module, maps[0].detach().numpy(), tokens[:3])
    uneven = ((1 - where.sum(0)) ** 2).sum()
    cells, steps = where.shape[1], 3
    assert np.isclose(uneven, cells - 2 * steps + (where.sum(0) ** 2).sum())  # all attention sums to one a word
    loss = module.losses(maps, torch.tensor([tokens]), 0.7)[0]
    assert np.isclose(float(loss[0].detach()), (-sum(logs) + 0.7 * uneven) / 3, atol=1e-12)


def test_a_wide_beam_finds_the_best_of_all_captions_and_a_narrow_one_is_greedy() -> None:
    module = small(3)
    for one in images(4):
        maps = module.encoder(one[None]).detach()
        every = []
        for tokens in itertools.product(range(1, len(WORDS)), repeat=3):
            stop = tokens.index(END) + 1 if END in tokens else 3
            if all(token == END for token in tokens[stop:]):
                every.append((sum(by_hand(module, maps[0].numpy(), [*tokens[:stop]])[0]), tokens[:stop]))
        best, tokens = max(every)
        found = beam_search(module, maps, 200)
        assert found.tokens == tokens
        assert np.isclose(found.log_probability, best, atol=1e-10)
        greedy = beam_search(module, maps, 1)
        logs = module.spoken(maps, torch.tensor([[*greedy.tokens]]))[0][0]
        logs[:, START] = -torch.inf
        assert greedy.tokens == tuple(logs.argmax(1).tolist())


def test_maps_of_a_word_are_those_of_grad_cam_and_hires_cam_of_that_word() -> None:
    module = small()
    net = Net(module, "captioner", PREPROCESS, Labels.plain(WORDS.words), scores="logits")
    shown = pl.Images.from_pictures([images()[0]], ["noise"])
    module.saying = (2, 4, 3)
    maps = module.encoder(net.prepare(shown).pixels.double())
    _, found = explained(module, maps, torch.tensor([[2, 4, 3]]))
    for t, word in enumerate(("a", "cat", "blue")):
        asked = f"word({word},{t})"
        for m, name in ((1, "grad_cam"), (2, "hires_cam")):
            heat = pl.find(name).function(net, shown, asked, layer="encoder")
            assert np.allclose(heat.values[0], found[0, t, m].numpy(), atol=1e-10), (word, name)
            assert heat.placement == PLACED


@pytest.mark.slow
def test_it_says_more_of_its_own_image_than_of_another() -> None:
    learned = of_scenes(64, 0.0, Recipe(12, 16, "adam", 1e-2, schedule="cosine"))
    quality = judged(learned)
    assert quality.nats < learned.trained.epochs[0].train_loss - 1
    assert quality.nats < quality.blind
    assert quality.words > 0.4
    said, truth = quality.right, quality.counted
    assert quality.words == float(said[truth].double().mean())
    assert truth.sum(1).tolist() == [9] * len(learned.sentences)


def test_a_table_of_ones_own_at_a_layer_of_the_network(tmp_path: Path) -> None:
    folder = Scenes("24").write(tmp_path)
    net, weights = tiny(), [value.clone() for value in tiny().module.state_dict().values()]
    found = pl.captions.captioner(
        net, photos(2), table=str(folder / "captions.csv"), layer="block", recipe="epochs=2", beam=2
    )
    assert found.values.shape[:3] == (2, 9, 3)
    assert found.values.shape[3:] == tuple(net.run(net.prepare(photos(1)), layers=["block"])["block"].shape[2:])
    assert np.allclose(found.values[0, : found.count(0), 0].sum((1, 2)), 1, atol=1e-5)
    assert found.meta.found["layer"] == "block"
    assert all(torch.equal(a, b) for a, b in zip(weights, net.module.state_dict().values(), strict=True))
    files, sentences = read_table(folder / "captions.csv")
    assert files[3] == folder / "images" / "000003.png"
    assert sentences[3] == Scenes("24").scene(3).words


@pytest.mark.parametrize(
    ("text", "said"),
    [("picture,words\na.png,x", "columns image and sentence"), ("image,sentence\na.png,", "row 1"), ("", "no table")],
)
def test_a_table_that_is_none_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    for path in (tmp_path / "x.csv", tmp_path / "absent.csv"):
        with pytest.raises(PellucidError, match=said if path.exists() else "cannot be read") as error:
            pl.captions.captioner(tiny(), photos(1), table=str(path))
        assert "\n" not in str(error.value)


def test_too_few_sentences_are_refused(tmp_path: Path) -> None:
    folder = Scenes("3").write(tmp_path)
    with pytest.raises(PellucidError, match="takes 8 at least"):
        pl.captions.captioner(tiny(), photos(1), table=str(folder / "captions.csv"))
