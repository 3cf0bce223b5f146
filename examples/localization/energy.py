"""Energy: how much of the map lies on the animal, and how much beside it?"""

import pellucid as pl

net = pl.load("bundled")
photos = ["sample:panda", "sample:koala", "sample:polar_bear"]
animals = {
    "panda": [("giant panda", (80, 20, 318, 225))],
    "koala": [("koala", (35, 91, 244, 326))],
    "polar_bear": [("ice bear", (92, 93, 322, 221))],
}

found = pl.localization.energy(net, photos, truth=animals, of="grad_cam,gradient,lrp")
for row in found["energy"].rows:
    print(f"{row['method']}: {row['energy']:.0%} of the map lies on the animal")

pl.draw(found).save("energy.png")
