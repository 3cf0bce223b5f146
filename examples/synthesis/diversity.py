"""Diversity: is there more than one thing that a unit answers?"""

import pellucid as pl

net = pl.load("bundled")

seen = pl.synthesis.diversity(net, "blocks.4:30", size=128, steps=64)
alone = pl.synthesis.diversity(net, "blocks.4:30", strength=0, size=128, steps=64)
alike = (sum(pictures.facts["alike"]) / len(pictures) for pictures in (seen, alone))
print("alike {:.2f}, without the pull apart {:.2f}".format(*alike))

pl.draw(seen).save("diversity.png")
