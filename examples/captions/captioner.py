"""Captioner: what does it say of a scene that it has not seen, and where did it look for each word?"""

import pellucid as pl

net = pl.load("bundled")
scene = pl.read("scene:1000001")

found = pl.captions.captioner(net, scene)
print(found.sentences[0])
for line in found.findings:
    print(line)

pl.draw(found).save("captioner.png")
