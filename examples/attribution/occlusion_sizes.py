"""Occlusion with covers of several sizes: details, parts, or the whole?"""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

panel = pl.attribution.occlusion_sizes(net, photo, sizes=(48, 96), relative_stride=0.5)
for size in ("48 px", "96 px"):
    print(f"{size}: the worst cover costs {panel[size].values.max():.1f}")

pl.draw(panel, over=photo).save("occlusion_sizes.png")
