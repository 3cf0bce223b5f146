"""Visual question answering, against its formula in slow float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import UnknownName
from pellucid.images.scenes import scene
from pellucid.learning.answering import ANSWERS, QUESTIONS, Answering, answered, explained, vocabulary
from tests.test_every_method import photos, tiny


def test_every_scene_answers_four_questions_as_its_sentence_does() -> None:
    for number in range(20):
        one = scene(number)
        pairs = dict(zip(one.shapes, one.colors, strict=True))
        found = answered(one)
        assert len(found) == 4
        for question, answer, k in found:
            words = QUESTIONS[question].split()
            said = ANSWERS[answer]
            assert said == (
                pairs[words[-1]] if words[1] == "color" else next(s for s, c in pairs.items() if c == words[-1])
            )
            assert words[-1] in (one.shapes[k], one.colors[k])


def test_answers_and_maps_are_those_of_the_formula() -> None:
    torch.manual_seed(4)
    module = Answering().double().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(2)
        maps = module(torch.rand(1, 3, 32, 32, dtype=torch.float64))
    w = {name: value.numpy() for name, value in module.state_dict().items()}
    cells = maps[0].flatten(1).T.numpy()

    def logits(cells: np.ndarray, question: str) -> tuple[np.ndarray, np.ndarray]:
        q = np.mean([w["words.weight"][vocabulary().index(word)] for word in question.split()], 0)
        energies = [
            float(
                w["energy.weight"][0]
                @ np.tanh(w["by_cell.weight"] @ a + w["by_cell.bias"] + w["by_question.weight"] @ q)
            )
            for a in cells
        ]
        attention = np.exp(energies) / np.exp(energies).sum()
        read = np.concatenate([(attention[:, None] * cells).sum(0), q])
        hidden = np.maximum(w["hidden.weight"] @ read + w["hidden.bias"], 0)
        return w["out.weight"] @ hidden + w["out.bias"], attention

    for question in ("what color is the circle", "what shape is green"):
        number = QUESTIONS.index(question)
        said, found = explained(module, maps, torch.tensor([number]))
        values, attention = logits(cells, question)
        log = values - np.log(np.exp(values).sum())
        best = int(values.argmax())
        assert np.allclose(said[0].numpy(), log, atol=1e-12)
        assert np.allclose(found[0, 0].flatten().numpy(), attention, atol=1e-12)
        slope, step = np.zeros_like(cells), 1e-6
        for i in range(0, len(cells), 7):  # some cells, by finite differences
            for c in range(cells.shape[1]):
                moved = [cells.copy(), cells.copy()]
                moved[0][i, c] += step
                moved[1][i, c] -= step
                both = [v[best] - np.log(np.exp(v).sum()) for v in (logits(one, question)[0] for one in moved)]
                slope[i, c] = (both[0] - both[1]) / (2 * step)
            assert np.isclose(found[0, 2].flatten()[i], slope[i] @ cells[i], atol=1e-7)


def test_a_question_moves_the_answer_and_an_unknown_one_is_refused() -> None:
    how = {"samples": 32, "recipe": "epochs=1"}
    found = pl.captions.vqa(tiny(), photos(2), questions=("What colour is the square?", "what shape is red"), **how)
    assert found.questions == ("what color is the square", "what shape is red")
    assert found.values.shape == (2, 2, 3, 8, 8)
    assert not np.allclose(found.values[:, 0, 0], found.values[:, 1, 0])
    assert np.allclose(found.values[:, :, 0].sum((2, 3)), 1, atol=1e-5)
    assert (found.scores <= 0).all()
    assert {*found.parts[0]} <= {*ANSWERS}
    with pytest.raises(UnknownName, match="what color is the square") as error:
        pl.captions.vqa(tiny(), photos(1), questions=("what color is the squirrel",), **how)
    assert "\n" not in str(error.value)
