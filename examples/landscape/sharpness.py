"""Sharpness: the published measures side by side, and which of them survive that filters are rescaled."""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller images than it was trained with: a third of the time
photos = ["sample:panda", "sample:koala", "sample:polar_bear", "sample:lemur"]
classes = ["giant panda", "koala", "ice bear", "indri"]

# of your own: pl.landscape.sharpness("model.py:net", "photos/", test="test/")
table = pl.landscape.sharpness(net, (photos, classes), directions=2, steps=2, products=3)
for row in table.rows:
    print(
        f"{row['measure']}: {row['value']:.4g} {row['unit']}", "" if row["scale_free"] else "(changes with the scale)"
    )

pl.draw(table).save("sharpness.png")
