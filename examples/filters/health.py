"""Filter health: which filters of the first layer are noise, dead or there twice, and is the network trained?"""

import pellucid as pl

trained = pl.filters.health(pl.load("bundled"))
random = pl.filters.health(pl.load("bundled", weights="random"))

for table in (trained, random):
    noise = sum(verdict == "noise" for verdict in table["verdict"])
    print(f"{noise} of {len(table)} filters are noise; {table.findings[0]}")

pl.draw(trained).save("health.png")
