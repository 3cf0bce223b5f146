"""Receptive fields: which pixels can a layer's cells see, and which do they look at?"""

import pellucid as pl

fields = pl.units.receptive_field("bundled")
print([fields.size(i) for i in range(len(fields))], [fields.share(i) for i in range(len(fields))])

pl.draw(fields).save("receptive_field.png")
