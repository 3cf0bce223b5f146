"""Style transfer: a photo of a palace, as Vincent van Gogh painted the sky."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:palace_china")

painted = pl.synthesis.style_transfer(net, photo, style="sample:starry_night", size=256)
print(f"of the style {painted.facts['style missed'][0]:.1%} is missed")

pl.draw(painted).save("style_transfer.png")
