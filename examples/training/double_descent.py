"""Double descent: more parameters than images are not too many."""

import pellucid as pl
from pellucid.learning.tasks import digits

found = pl.training.double_descent(digits(1000).data, samples=150)
print("\n".join(found.findings))

pl.draw(found).save("double_descent.png")
