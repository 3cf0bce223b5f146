"""How large the notebooks of a course become, how long their cells take, and how long one says nothing.

`python -m benchmarks.notebooks` runs every cell of notebooks/*.ipynb as a kernel does, and shows the last expression of
each. A cell is silent from its beginning, or a step of its progress, to the next one or its end. Times are CPU seconds,
so that they hold on a busy machine; on a quiet one a cell takes about as long.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pellucid.progress import listen

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True)
class Ran:
    """A cell that was run."""

    source: str
    seconds: float
    silent: float
    """The longest time without progress."""
    shown: dict[str, str]
    """What a notebook would keep of its answer, by kind."""


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Its cells, in order."""
    found: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return found


def run(notebook: Path, reduced: dict[str, str] | None = None) -> Iterator[Ran]:
    """Run its code, cell by cell; `reduced` are texts in it that are replaced by quicker ones."""
    names: dict[str, Any] = {}
    for cell in cells(notebook):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for long, short in (reduced or {}).items():
            source = source.replace(long, short)
        yield _ran(source, names)


def _ran(source: str, names: dict[str, Any]) -> Ran:
    *statements, last = ast.parse(source).body
    begun = time.process_time()
    times = [begun]
    with listen(lambda *_: times.append(time.process_time())):
        exec(compile(ast.Module(statements, []), "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        else:
            value = exec(compile(ast.Module([last], []), "cell", "exec"), names)
        shown = {} if value is None else {"text/plain": repr(value)}
        if hasattr(value, "_repr_html_"):
            shown["text/html"] = value._repr_html_()
    times.append(time.process_time())
    gaps = (after - before for before, after in pairwise(times))
    return Ran(source, times[-1] - begun, max(gaps), shown)


def size(notebook: Path, ran: list[Ran]) -> int:
    """Bytes of the notebook with these outputs in it."""
    return notebook.stat().st_size + sum(len(json.dumps(one.shown)) for one in ran)


if __name__ == "__main__":
    for notebook in NOTEBOOKS:
        done = []
        for one in run(notebook):
            done.append(one)
            kept = sum(map(len, one.shown.values()))
            said = one.source.splitlines()[-1][:70]
            print(f"{one.seconds:6.1f} s, silent {one.silent:4.1f} s, {kept / 1e3:7.0f} kB  {said}", flush=True)
        longest, seconds = max(one.silent for one in done), sum(one.seconds for one in done)
        print(f"{notebook.name}: {len(cells(notebook))} cells, {seconds:.0f} s, {size(notebook, done) / 1e6:.2f} MB")
        print(f"longest silence {longest:.1f} s")
