"""FullGrad: the score as a sum of what the pixels and what every bias contribute."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:palace_china")

heat = pl.attribution.full_grad(net, photo)
print(f"the shares sum to {heat.array.sum():.4f}, the score is {heat.meta.score[0]:.4f}")

pl.draw(pl.attribution.full_grad(net, photo, variant="paper"), over=photo).save("full_grad.png")
