"""First-layer filters: what does the network look for in the pixels themselves?"""

import pellucid as pl

net = pl.load("bundled")

found = pl.filters.first_layer(net)
gray = [unit for unit, name in zip(found.units, found.names, strict=True) if name.endswith("°") and "color" not in name]
print(f"{found.meta.layer}: {len(found)} filters, {len(gray)} of them for light and dark edges: {gray}")

pl.draw(found, scale="own").save("first_layer.png")
