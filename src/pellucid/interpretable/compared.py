"""Networks beside their plain twin, as a table: what each is right about, and what its constraint costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pellucid.interpretable.cells import Judged
from pellucid.result import Curve, Line, Table
from pellucid.result.table import Cell

PLAIN = "plain"
"""What the twin without constraints is called."""
_HELP = {
    "network": "what was trained on the same images, by the same recipe",
    "accuracy": "share of the held-out images, 0..1",
    "error": "half the width of the 95 % Wilson interval of that over 1.96",
    "cost": "accuracy that it has less than the plain twin",
    "cost error": "standard error of that, on the same images",
}


def table(found: Mapping[str, Judged], more: Mapping[str, Sequence[Cell]], about: Mapping[str, str]) -> Table:
    """One row for each network, the plain twin among them; `more` are columns with what they mean in `about`."""
    plain = found[PLAIN]
    accuracies = [one.accuracy for one in found.values()]
    costs = [one.cost(plain) for one in found.values()]
    columns: dict[str, tuple[Cell, ...]] = {
        "network": tuple(found),
        "accuracy": tuple(share for share, _ in accuracies),
        "error": tuple(error for _, error in accuracies),
        "cost": tuple(cost for cost, _ in costs),
        "cost error": tuple(error for _, error in costs),
        **{name: tuple(values) for name, values in more.items()},
    }
    errors = {"accuracy": "error", "cost": "cost error"}
    return Table(columns, {**_HELP, **about}, (), ("accuracy",), errors=errors)


def courses(found: Mapping[str, Judged]) -> Curve:
    """The test loss of each training, epoch by epoch."""
    lines = []
    for name, one in found.items():
        if one.course is not None:
            values = one.course.series("test_loss")
            style = "dashed" if name == PLAIN else "line"
            epochs = one.course.series("epoch")
            lines.append(Line(name, epochs, values, None, "held-out loss, nats", style))  # type: ignore[arg-type]
    return Curve(tuple(lines), "epoch")


def said(found: Mapping[str, Judged], name: str) -> str:
    """A sentence about what one of them costs."""
    cost, error = found[name].cost(found[PLAIN])
    share, plain = found[name].accuracy[0], found[PLAIN].accuracy[0]
    word = "costs" if cost > 0 else "gains" if cost < 0 else "costs nothing:"
    size = f" {abs(cost):.3f} ± {error:.3f}" if cost else ""
    return f"{name} {word}{size}: accuracy {share:.3f}, the plain twin {plain:.3f}".replace("::", ":")
