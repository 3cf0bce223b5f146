"""Curvature: the largest and smallest eigenvalue of the Hessian, each with its residual."""

import pellucid as pl

photos = ["sample:panda", "sample:koala", "sample:polar_bear", "sample:lemur"]
classes = ["giant panda", "koala", "ice bear", "indri"]

# the last layer alone; without `layers` all 4.6 million weights
spectrum = pl.landscape.curvature("bundled", (photos, classes), layers=("classifier",), products=8, probes=2)
print(*spectrum.findings, sep="\n")

pl.draw(spectrum).save("curvature.png")
