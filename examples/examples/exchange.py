"""Exchange of regions: which parts of a koala, put into a panda, make the network say koala?"""

import pellucid as pl

net = pl.load("bundled")

found = pl.examples.exchange(net, ["sample:panda", "sample:koala"])
print(found.findings[0])

pl.draw(found).save("exchange.png")
