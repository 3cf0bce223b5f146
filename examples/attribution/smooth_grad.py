"""SmoothGrad: the gradient averaged over noisy copies of the photo, with the error of the average."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:cat_chelsea")

heat = pl.attribution.smooth_grad(net, photo, samples=30)
print(f"standard error of the strongest pixel: {heat.error.flat[heat.array.argmax()] / heat.array.max():.0%}")

pl.draw(heat, over=photo).save("smooth_grad.png")
