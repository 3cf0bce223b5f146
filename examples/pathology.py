"""Graded tissue: which tiles excite each grade most, where a slide is of which grade, and whether that is the hallmark.

The tissue is generated, so the hallmark of each grade is known: nuclei grow more, larger, longer and darker. A network
learns the grades from tiles alone; what it wants to see is then counted by the counters of the generator.
"""

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

import pellucid as pl
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.images.sources.tissue import GRADES, NAMES, counted, slide, tile
from pellucid.learning.train import Recipe, train

SIDE, TILES = 64, 80  # tiles of each grade
HALLMARK = ("density", "area", "elongation", "stain")


def tiles(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many tiles of each grade, with their grades 0 … 3."""
    made = [tile(grade, first + k, SIDE).picture for k in range(count) for grade in GRADES]
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).float() / 255, torch.arange(4).repeat(count)


def turned(batch: torch.Tensor, chance: np.random.Generator) -> torch.Tensor:
    """Tissue has no upper side: turned and mirrored, and as bright as another stain makes it."""
    batch = torch.rot90(batch, int(chance.integers(4)), (2, 3))
    batch = batch.flip(3) if chance.random() < 0.5 else batch
    return batch + 0.1 * torch.from_numpy(chance.normal(size=(len(batch), 3, 1, 1))).float()


torch.manual_seed(0)
module = nn.Sequential(
    nn.Conv2d(3, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
)  # fmt: skip
x, y = tiles(0, TILES)
held_x, held_y = tiles(TILES, 25)
recipe = Recipe(epochs=8, batch=16, optimizer="adam", lr=0.003, schedule="cosine")
train(module, (x * 2 - 1, y), recipe, augment=turned)
net = pl.load(module.eval(), size=SIDE, mean=[0.5] * 3, std=[0.5] * 3, labels=list(NAMES))
right = float((net.run(held_x).output.argmax(1) == held_y).double().mean())
print(f"held-out tiles of the right grade: {right:.1%}")

# the tiles that excite each grade most: of the default recipe the stronger of two, and by a smoother one
strong = pl.synthesis.activation_maximization(net, list(NAMES), steps=64, count=2)
best = [max(range(2 * k, 2 * k + 2), key=lambda i: strong.trust[i].activation) for k in range(4)]
strongest = [strong.pixels[i] for i in best]
near = "pellucid + fourier(1.4) + adam(0.02)"  # smoother, and not far from where it starts
smoother = pl.synthesis.activation_maximization(net, list(NAMES), recipe=near, steps=48)
found = {"real": [tile(grade, 900, SIDE).picture for grade in GRADES], "strongest": strongest,
         "smoother": [*smoother.pixels]}  # fmt: skip
for row, pictures in found.items():
    for name in HALLMARK:
        counts = [counted(picture)[name] for picture in pictures]
        rank = float(spearmanr(range(4), counts).statistic)
        print(f"{row:>14} {name:>10}: {', '.join(f'{one:.3g}' for one in counts)}; Spearman {rank:+.2f}")

# a slide whose grades are known, tile by tile: the maps are laid where the tiles lie
whole = slide(0, 8 * SIDE)
cells = [(row, column) for row in range(8) for column in range(8)]
cut = [slice(row * SIDE, row * SIDE + SIDE) for row in range(8)]
glass = np.array([(whole.grades[cut[r], cut[c]] == 0).mean() for r, c in cells]) > 0.5
images = pl.Images.from_pictures(
    [torch.from_numpy(whole.picture[cut[r], cut[c]]).permute(2, 0, 1) for r, c in cells], [f"{r},{c}" for r, c in cells]
)
answer = net.run(net.prepare(images)).output.argmax(1).numpy() + 1
truth = np.array([np.bincount(whole.grades[cut[r], cut[c]].ravel(), minlength=5)[1:].argmax() + 1 for r, c in cells])
print(f"tiles of the slide of the right grade: {(answer == truth)[~glass].mean():.1%}")
heat = pl.attribution.hires_cam(net, images, "grade 4", layer="7").values
heat = np.where(glass[:, None, None], 0, heat)
stitched = np.concatenate([np.concatenate([*heat[8 * r : 8 * r + 8]], axis=1) for r in range(8)])
stitched = stitched.repeat(SIDE // heat.shape[1], 0).repeat(SIDE // heat.shape[2], 1).clip(0)
inside, worst = whole.nuclei > 0, whole.grades == 4
tissue = whole.grades > 0
there, drawn = stitched[worst].sum() / stitched.sum(), stitched[worst & inside].sum() / stitched[worst].sum()
print(f"heat of grade 4: {there:.1%} lies in its regions, which are {worst.sum() / tissue.sum():.1%} of the tissue")
print(f"of that, {drawn:.1%} lies on nuclei, which cover {inside[worst].mean():.1%} there")

sheet = Sheet.sized(1040, "#ffffff")
for n, (name, pictures) in enumerate(found.items()):
    for k, picture in enumerate(pictures):
        sheet.photo(24 + 122 * k, 44 + 146 * n, picture.repeat(3, 0).repeat(3, 1)[:192, :192])
        sheet.lines(24 + 122 * k, 44 + 146 * n + 98, [f"{name}, {NAMES[k]}"], 9.5, "#667085")
colors = np.array([[255, 255, 255], [222, 235, 247], [158, 202, 225], [66, 146, 198], [8, 69, 148]], np.uint8)
guessed = np.where(glass, 0, answer).reshape(8, 8).repeat(SIDE, 0).repeat(SIDE, 1)
light = (stitched / np.quantile(stitched, 0.995)).clip(0, 1)[..., None]
gray = whole.picture.mean(-1, keepdims=True) * 0.6 + 100
warm = gray * (1 - 0.8 * light) + np.array([214, 83, 20]) * 0.8 * light
shown = {"slide": whole.picture, "its grades": colors[whole.grades], "as the network grades it": colors[guessed],
         "what speaks for grade 4": warm.clip(0, 255).astype(np.uint8)}  # fmt: skip
for k, (name, picture) in enumerate(shown.items()):
    left, top = 530 + 250 * (k % 2), 44 + 268 * (k // 2)
    sheet.photo(left, top, np.ascontiguousarray(picture[:480, :480]))
    sheet.lines(left, top + 242, [name], 9.5, "#667085")
sheet.lines(24, 14, ["What a network knows the grades of tissue by"], 16, "#1d2430", bold=True)
sheet.height = 600
Picture(sheet, "Tiles that excite each grade, and a slide graded tile by tile.").save("pathology.png")
