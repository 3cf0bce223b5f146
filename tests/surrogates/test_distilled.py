"""The loss of distillation against its formula, its limit, and what softened answers say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pellucid.learning.train import Recipe
from pellucid.surrogates.alike import confused_pairs, errors, pairs, second_right, similarity
from pellucid.surrogates.distilled import Lesson, distilled, said_by, soft_loss, softened, student


def slow(student_: list[float], teacher: list[float], t: float) -> float:
    def soft(row: list[float]) -> list[float]:
        top = max(row)
        parts = [math.exp((one - top) / t) for one in row]
        return [one / sum(parts) for one in parts]

    p, q = soft(teacher), soft(student_)
    return t * t * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize("t", [1.0, 4.0, 20.0])
def test_it_is_what_it_is_defined_as(t: float) -> None:
    chance = np.random.default_rng(0)
    a, b = chance.normal(0, 3, (2, 5, 6))
    found = soft_loss(torch.from_numpy(a), torch.from_numpy(b), t)
    assert found.tolist() == pytest.approx([slow(x.tolist(), y.tolist(), t) for x, y in zip(a, b, strict=True)])


def test_hot_gradients_are_differences_of_logits() -> None:
    """T → ∞: (student − teacher) / classes, each less its mean; nearly so at T = 20 already."""
    chance = np.random.default_rng(1)
    z, teacher = chance.normal(0, 1, (2, 8, 10))
    wanted = (z - z.mean(1, keepdims=True) - teacher + teacher.mean(1, keepdims=True)) / 10

    def gradient(t: float) -> np.ndarray:
        at = torch.tensor(z, requires_grad=True)
        (found,) = torch.autograd.grad(soft_loss(at, torch.from_numpy(teacher), t).sum(), at)
        return found.numpy()

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(gradient(20), wanted) > 0.999
    assert np.allclose(gradient(1e4), wanted, rtol=1e-3, atol=1e-6)
    assert cosine(gradient(1), wanted) < cosine(gradient(20), wanted)


def test_softening_keeps_the_order() -> None:
    logits = np.random.default_rng(2).normal(0, 5, (20, 4))
    assert np.array_equal(softened(logits, 1).argmax(1), softened(logits, 50).argmax(1))
    assert softened(logits, 50).max() < softened(logits, 1).max()
    assert np.allclose(softened(logits, 3).sum(1), 1)


def test_similar_classes_are_those_of_the_softened_answers() -> None:
    soft = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4], [0.1, 0.2, 0.7]])
    labels, answers = np.array([0, 0, 1, 2, 2]), soft.argmax(1)
    found = similarity(soft, answers, labels)
    assert found[0, 1] == found[1, 0] == pytest.approx(((0.3 + 0.4) / 2 + 0.2) / 2)
    assert found[1, 2] == pytest.approx((0.1 + 0.2) / 2)  # image 3 is wrong and does not count
    counts = confused_pairs(answers, labels, 3)
    assert counts[1, 2] == counts[2, 1] == 1
    assert counts[0, 1] == 0
    table, _ = pairs(soft, answers, labels, ("cat", "dog", "car"))
    assert (table["one"][0], table["other"][0], table["confusions"][0]) == ("cat", "dog", 0)
    wrong, second = second_right(soft, labels)
    assert wrong.tolist() == second.tolist() == [False, False, False, True, False]
    assert errors(soft, labels, ("cat", "dog", "car"), tuple("abcde"))["image"] == ("d",)
    assert not second_right(soft, np.full(5, -1))[0].any()


def test_a_student_learns_what_its_teacher_says() -> None:
    chance = np.random.default_rng(3)
    labels = np.arange(60) % 2
    pixels = chance.integers(0, 80, (60, 8, 8, 3), np.uint8)
    pixels[labels == 1] += 150
    teacher = np.where(labels[:, None] == [0, 1], 4.0, -4.0)
    lesson = Lesson(pixels, teacher, 1 - labels)  # the hard labels say the contrary
    module = student(8, 2, 0)
    course = distilled(module, lesson, Recipe(epochs=15, optimizer="adam", lr=5e-3), 4.0, 1.0)
    assert len(course.epochs) == 16
    assert (said_by(module, lesson).argmax(1) == labels).mean() > 0.9
    again = student(8, 2, 0)
    distilled(again, lesson, Recipe(epochs=15, optimizer="adam", lr=5e-3), 4.0, 1.0)
    assert np.array_equal(said_by(again, lesson), said_by(module, lesson))
    hard = student(8, 2, 0)
    distilled(hard, lesson, Recipe(epochs=15, optimizer="adam", lr=5e-3), 4.0, 0.0)
    assert (said_by(hard, lesson).argmax(1) == 1 - labels).mean() > 0.9
