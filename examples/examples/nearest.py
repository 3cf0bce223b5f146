"""Nearest training cases: which photos does the network take for most like a painting, and which are so to the eye?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index", embed=("blocks.2", "blocks.4", "act2"))
index = pl.units.index("bundled", "samples", store="samples.index")

cases = pl.examples.nearest(index, "sample:starry_night", descriptors=("hog", "lbp", "colors"))
for row, said in zip(cases.rows, cases.said[0], strict=True):
    print(f"{row}: {said}")

pl.draw(cases).save("nearest.png")
