"""Training curves: 300 digits, a fifth of their labels wrong, learned by heart; what dropout and decay change."""

import tempfile

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits, flipped
from pellucid.learning.train import Recipe, train

task = flipped(digits(300), share=0.2)
folder = tempfile.mkdtemp()
for name, (dropout, weight_decay) in {"plain": (0.0, 0.0), "dropout": (0.5, 0.0), "decay": (0.0, 0.3)}.items():
    recipe = Recipe(epochs=60, batch=32, optimizer="adamw", lr=3e-3, weight_decay=weight_decay)
    module = seeded(lambda rate=dropout: MLP(64, 10, depth=2, width=256, dropout=rate), seed=0)
    train(module, task.train, recipe, test=task.test, folder=f"{folder}/{name}", keep=False)

found = pl.training.curves(f"{folder}/plain", beside=[f"{folder}/dropout", f"{folder}/decay"])
print("\n".join(found.findings))
for row in found["stopping"].rows:
    print(row["run"], row["rule"], f"keeps step {row['keeps']}, test accuracy {row['test accuracy']:.3f}")

pl.draw(found).save("curves.png")
