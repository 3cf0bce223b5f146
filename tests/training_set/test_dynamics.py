"""Scores of a course, against their formulas in plain floats."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.training_set import dynamics
from pellucid.training_set.dynamics import Course

T, N, C = 5, 7, 3


def course(seed: int = 0) -> Course:
    chance = np.random.default_rng(seed)
    return Course(
        chance.normal(0, 3, (T, N, C)), chance.integers(0, C, N), chance.random((T, N)) * 9, np.linspace(1, 0.1, T)
    )


def softmax(row: list[float]) -> list[float]:
    top = max(row)
    parts = [math.exp(one - top) for one in row]
    return [one / sum(parts) for one in parts]


def slow(one: Course) -> dict[str, list[float]]:
    """All scores, example by example, as they are defined."""
    found: dict[str, list[float]] = {}
    early = math.ceil(T / 4) - 1
    for i in range(N):
        y = int(one.labels[i])
        logits = [[float(v) for v in one.logits[t, i]] for t in range(T)]
        p = [softmax(row) for row in logits]
        margin = [row[y] - max(v for j, v in enumerate(row) if j != y) for row in logits]
        loss = [-math.log(row[y]) for row in p]
        error = [math.sqrt(sum((v - (j == y)) ** 2 for j, v in enumerate(row))) for row in p]
        right = [m > 0 for m in margin]
        entropy = -sum(v * math.log(v) for v in p[-1])
        mean = sum(row[y] for row in p) / T
        said = {
            "aum": sum(margin) / T,
            "mean_loss": sum(loss) / T,
            "final_margin": margin[-1],
            "final_loss": loss[-1],
            "el2n": error[early],
            "grand": error[early] * math.sqrt(one.lengths[early, i] + 1),
            "tracin_self": sum(one.rates[t] * error[t] ** 2 * (one.lengths[t, i] + 1) for t in range(T)),
            "forgetting": sum(a and not b for a, b in itertools.pairwise(right)) if any(right) else T,
            "confidence": mean,
            "variability": math.sqrt(sum((row[y] - mean) ** 2 for row in p) / T),
            "mistakenness": ((-1 if right[-1] else 1) * math.exp(-entropy) + 1) / 2,
        }
        for name, value in said.items():
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_they_are_what_they_are_defined_as(seed: int) -> None:
    one = course(seed)
    for name, values in slow(one).items():
        assert getattr(dynamics, name)(one) == pytest.approx(values, abs=1e-12), name


def test_the_gradient_of_a_last_layer_is_as_long_as_grand_says() -> None:
    torch = pytest.importorskip("torch")
    one, read = course(), np.random.default_rng(4).normal(size=(N, 6))
    weight = torch.zeros(C, 6, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(np.linspace(0, 1, C), requires_grad=True)
    logits = (torch.from_numpy(read) @ weight.T + bias).detach().numpy()
    found = dynamics.grand(Course(logits[None], one.labels, (read**2).sum(1)[None]))
    for i in range(N):
        own = torch.from_numpy(read[i]) @ weight.T + bias
        loss = torch.nn.functional.cross_entropy(own, torch.tensor(one.labels[i]))
        slopes = torch.autograd.grad(loss, (weight, bias))
        assert math.sqrt(sum(float(s.square().sum()) for s in slopes)) == pytest.approx(found[i], rel=1e-12)


def test_the_order_of_the_examples_does_not_matter() -> None:
    one, order = course(), np.random.default_rng(1).permutation(N)
    other = Course(one.logits[:, order], one.labels[order], one.lengths[:, order], one.rates)
    for name in slow(one):
        score = getattr(dynamics, name)
        assert np.array_equal(score(one)[order], score(other)), name


def test_what_was_never_right_is_forgotten_most() -> None:
    """More than what is right and wrong by turns."""
    logits = np.zeros((6, 2, 2))
    logits[::2, 0, 0], logits[1::2, 0, 0] = 1, -1
    logits[:, 1, 0] = -1
    assert dynamics.forgetting(Course(logits, np.zeros(2, int))).tolist() == [3, 6]


def test_equal_logits_are_no_right_answer() -> None:
    one = Course(np.zeros((2, 1, 3)), np.array([0]))
    assert not one.right.any()
    assert dynamics.mistakenness(one) == pytest.approx([(1 / 3 + 1) / 2])


def test_large_logits_stay_finite() -> None:
    one = Course(np.array([[[1e4, -1e4, 0.0]]]), np.array([1]))
    assert dynamics.final_loss(one) == pytest.approx([2e4])
    assert dynamics.el2n(one) == pytest.approx([math.sqrt(2)])


@pytest.mark.parametrize(
    ("logits", "labels", "said"),
    [
        (np.zeros((2, 3)), np.zeros(2, int), "epochs, examples, classes"),
        (np.zeros((1, 2, 3)), np.zeros(3, int), "one for each example"),
        (np.zeros((1, 2, 3)), np.array([0, 3]), "labels from 0 to 3 for 3 classes"),
        (np.zeros((1, 2, 3)), np.array([-1, 2]), "labels from -1"),
        (np.array([[[0.0, np.nan]]]), np.array([0]), "example 0 has logits that are not finite"),
        (np.zeros((1, 2, 1)), np.zeros(2, int), "two classes"),
    ],
)
def test_what_is_no_course_is_refused_in_one_line(logits: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(PellucidError, match=said) as error:
        Course(logits, labels)
    assert "\n" not in str(error.value)


def test_without_lengths_there_is_no_gradient() -> None:
    one = course()
    bare = Course(one.logits, one.labels)
    for score in (dynamics.grand, dynamics.tracin_self):
        with pytest.raises(PellucidError, match="features of each epoch"):
            score(bare)
    with pytest.raises(PellucidError, match="lengths"):
        Course(one.logits, one.labels, np.zeros((1, N)))
