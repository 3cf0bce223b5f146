"""Mistake: a panda is filed under polar bears. Why does the network say otherwise?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "train/", store="train.index"), where train/ has a folder for each class
index = pl.units.index("bundled", "samples", store="samples.index")

why = pl.examples.mistake(index, "sample:panda", label="polar_bear")
print(why.sentences[0])
for cause, said in zip(why.causes, why.said[0], strict=True):
    print(f"{cause}: {said}")

pl.draw(why).save("mistake.png")
