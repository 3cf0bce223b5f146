"""Unit page: everything about one unit, from its strongest patches to the units that are like it."""

import pellucid as pl

index = pl.units.index("bundled", "samples", store="samples.index")

page = pl.units.page(index, "blocks.3.2.act1:57")
for name, value in page.facts.items():
    print(f"{name}: {value:.4g}")

pl.draw(page).save("page.png")
