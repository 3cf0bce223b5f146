"""The lines of the documentation as a reader types them: shell commands and blocks of Python, by page, and a folder
in which the files that they name are there.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

import pellucid
from pellucid.cli.group import group

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TYPED = [page for page in PAGES if page.name not in ("CONTRIBUTING.md", "adding.md", "house.md")]
"""Those for people who use Pellucid."""
CLASSES = ("sorrel", "tiger cat", "tabby", "giant panda")
_BEFORE = {"&&", "|", "||", ";"}
_NETWORKS = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, skips):
        super().__init__()
        self.skips = skips
        self.stem, self.layer1 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.layer2, self.layer3 = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.layer4, self.fc = nn.Conv2d(8, 8, 3, 2, 1), nn.Linear(8, 4)

    def forward(self, x):
        x = self.stem(x).relu()
        x = self.layer1(x).relu() + (x if self.skips else 0)
        x = self.layer2(x).relu()
        x = self.layer3(x).relu() + (x if self.skips else 0)
        return self.fc(self.layer4(x).relu().mean((2, 3)))

def net():
    torch.manual_seed(0)
    return Own(True).eval()

def plain():
    torch.manual_seed(0)
    return Own(False).eval()

residual = net
"""


def blocks(page: Path, language: str) -> list[str]:
    """What stands in the fences of a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}(?: [^\n]*)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(page: Path) -> Iterator[list[str]]:
    """The words after each `pellucid`, as a shell hands them on: without comments, pipes and redirections."""
    for line in "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for i, word in enumerate(words):
            if Path(word).name == "pellucid" and (i == 0 or words[i - 1] in _BEFORE):
                rest = words[i + 1 :]
                ends = (j for j, one in enumerate(rest) if one in _BEFORE or one.startswith(">"))
                yield rest[: next(ends, len(rest))]


def parsed(words: list[str]) -> click.Context:
    """A command as Pellucid understands these words; nothing is done. Raises what it says where it does not."""
    context = group().make_context("pellucid", list(words))
    while isinstance(context.command, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


def calls(block: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of `pl.…` in a block of Python, with what is called: `attribution.grad_cam`."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)).startswith("pl.") and "(" not in name:
            yield name.removeprefix("pl."), node


def folder(root: Path) -> Path:
    """What a reader has at home: photos by class, a table of boxes and one of groups, networks, checkpoints."""
    sample = Path(pellucid.__file__).parent / "images" / "samples"
    photos = sorted(sample.glob("*.jpg"))
    chance = np.random.default_rng(0)

    def cut(photo: Path, place: Path) -> None:
        with Image.open(photo) as picture:
            side = int(min(picture.size) * chance.uniform(0.5, 1))
            x, y = (int(chance.integers(have - side + 1)) for have in picture.size)
            place.parent.mkdir(parents=True, exist_ok=True)
            picture.convert("RGB").crop((x, y, x + side, y + side)).resize((72, 72)).save(place)

    for name in ("dog.jpg", "photo.jpg", "panda.jpg", "painting.jpg", "scan.png"):
        cut(sample / "panda.jpg", root / name)
    boxes, groups = ["image,label,x1,y1,x2,y2"], ["image,group"]
    for where, count in (("photos", 7), ("test", 2), ("others", 2), ("dogs", 2), ("scans", 3)):
        for i, called in enumerate(CLASSES * count):
            name = f"{called}/{called.split()[0]}{i}.jpg"
            cut(photos[i % len(photos)], root / where / name)
            if where == "photos":
                boxes.append(f"{name},{called},10,10,50,60")
                groups.append(f"{name},{'snow' if i % 3 else 'grass'}")
    (root / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    (root / "boxes.csv").write_text("\n".join(boxes) + "\n")
    (root / "groups.csv").write_text("\n".join(groups) + "\n")
    Image.new("RGBA", (18, 18), (255, 0, 0, 200)).save(root / "mark.png")
    (root / "run").mkdir()
    networks: dict[str, object] = {}
    exec(_NETWORKS, networks)
    for name in ("model.py", "my_model.py"):
        (root / name).write_text(_NETWORKS)
    for step in range(3):
        torch.save({"state_dict": networks["net"]().state_dict(), "step": step}, root / "run" / f"{step}.pth")  # type: ignore[operator]
    torch.save(networks["net"]().state_dict(), root / "best.pt")  # type: ignore[operator]
    return root
