"""Interpolation: what lies between two units?"""

import pellucid as pl

net = pl.load("bundled")

row = pl.synthesis.interpolation(net, "blocks.4:75", end="blocks.4:30", size=128, steps=64)
print(f"largest step of the row: {max(row.facts['step']):.2f} of the distance between its ends")

pl.draw(row).save("interpolation.png")
