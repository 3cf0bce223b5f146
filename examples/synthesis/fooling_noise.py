"""Fooling noise: pictures of nothing, of which the network is sure."""

import pellucid as pl

net = pl.load("bundled")

sure = pl.synthesis.fooling_noise(net, "goldfish")
print(f"{sure.facts['probability'][0]:.1%} goldfish after {sure.facts['steps'][0]:.0f} steps")

pl.draw(sure).save("fooling_noise.png")
