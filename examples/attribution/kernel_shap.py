"""KernelSHAP: Shapley values of superpixels, from a weighted linear regression over coalitions."""

import pellucid as pl

net = pl.load("bundled")
photo = pl.read("sample:espresso")

heat = pl.attribution.kernel_shap(net, photo, "espresso", segmentation="grid", n_segments=6)
print(f"the best of six pieces is worth {heat.array.max():.2f} logits; {heat.meta.said[0]}")

pl.draw(heat, over=photo).save("kernel_shap.png")
