"""Axioms: which properties does a method keep, on small networks where the truth is known?"""

import pellucid as pl

found = pl.quality.axioms("bundled", of="gradient_times_input,integrated_gradients,grad_cam,lrp", networks=1)
for line in found.findings:
    print(line)

pl.draw(found).save("axioms.png")
