"""Ablation: what does the network lose without one of its units?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

lost = pl.units.ablation(index, "blocks.6:115", count=64, controls=2)
for line in lost.findings:
    print(line)
print(lost["above"].rows[:3])

pl.draw(lost).save("ablation.png")
