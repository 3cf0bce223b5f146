"""Counterfactual: the least change after which the network calls an espresso something else."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

found = pl.examples.counterfactual(net, photo, probability=0.6, steps=80)
print(f"{found.names[0]}: {found.facts['mean change of 255'][0]:.2f} of 255 on average")
print("adversarial noise" if found.trust[0].adversarial else "the class survives small touches")

pl.draw(found).save("counterfactual.png")
