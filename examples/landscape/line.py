"""Loss along lines: how steep are the walls around a trained network, in two random directions?"""

import pellucid as pl

net = pl.load("bundled", size=96)  # smaller images than it was trained with, and faster
animals = ["panda", "koala"]
photos = [f"sample:{name}" for name in animals]
classes = ["giant panda", "koala"]

# of your own: pl.landscape.line("model.py:net", "photos/")
line = pl.landscape.line(
    net,
    (photos, classes),
    points="9:reach=0.5",
    count=2,
)
print(line.findings[0])
print(*line.checks, sep="\n")  # the line against gradient and Hessian

pl.draw(line).save("line.png")
