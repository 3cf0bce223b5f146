"""Constraints: a head whose scores can only rise with what it is given, proved, and what that costs."""

import pellucid as pl

net = pl.load("bundled")

found = pl.inherent.constraints(net, "samples")
print("\n".join(found.findings))

pl.draw(found).save("constraints.png")
