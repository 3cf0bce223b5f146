"""Prototypes: which few photos stand for all of them, and which are stood for worst?"""

import pellucid as pl

index = pl.units.index("bundled", "samples", store="samples.index")

found = pl.examples.prototypes(index, count=12, criticisms=3)
(group,) = found.groups
for label, share in zip(group.labels, group.coverage, strict=True):
    print(f"a crop of {label} stands for {share:.0%}")
print("criticisms:", ", ".join(group.criticism_labels))

pl.draw(found).save("prototypes.png")
