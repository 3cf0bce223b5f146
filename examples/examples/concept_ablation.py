"""Concept ablation: which classes lose when what four photos of animals have in common is taken out of a layer?"""

import pellucid as pl

index = pl.units.index("bundled", "samples", store="samples.index")
animals = ["sample:panda", "sample:koala", "sample:polar_bear", "sample:lemur"]

found = pl.examples.concept_ablation(index, animals, controls=10)
for said in found.findings:
    print(said)

pl.draw(found).save("concept_ablation.png")
