"""Fooling: an espresso that the network takes for a tabby, and how little was changed."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

fooled = pl.synthesis.fooling(net, photo, "tabby")
print(f"{fooled.facts['probability'][0]:.0%} tabby, no value changed by more than "
      f"{fooled.facts['largest change of 255'][0]:.0f} of 255")  # fmt: skip

pl.draw(fooled).save("fooling.png")
