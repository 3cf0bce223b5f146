"""Constraints: a head whose scores can only rise with what it is given, proved, and what that costs."""

import pellucid as pl

net = pl.load("bundled")
photos = pl.Data.of("samples").subset(140, seed=0)

found = pl.inherent.constraints(net, photos)
print("\n".join(found.findings))

pl.draw(found).save("constraints.png")
