"""Filters by input channel: what does a filter behind the first layer read?"""

import pellucid as pl

net = pl.load("bundled")

found = pl.filters.channels(net, layer="blocks.3.0.conv_dw")
print(f"{found.meta.layer}: {'; '.join(found.meta.said)}")

pl.draw(found).save("channels.png")
