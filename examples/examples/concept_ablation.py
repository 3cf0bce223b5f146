"""Concept ablation: which classes lose when what four photos of animals have in common is taken out of a layer?"""

import pellucid as pl

net = pl.load("bundled", size=128)  # smaller than it was trained on, and faster
index = pl.units.index(net, "samples", store="small.index")
animals = ["sample:panda", "sample:koala", "sample:polar_bear", "sample:lemur"]

found = pl.examples.concept_ablation(index, animals, controls=3)
for said in found.findings:
    print(said)

pl.draw(found).save("concept_ablation.png")
