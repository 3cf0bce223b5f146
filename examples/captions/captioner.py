"""Captioner: what does it say of a scene that it has not seen, and where did it look for each word?"""

import pellucid as pl

net = pl.load("bundled")
scene = pl.read("scene:1000001")

# fewer scenes and epochs than by default, to be quick: it is right less often
found = pl.captions.captioner(net, scene, samples=1000, recipe="epochs=8")
print(found.sentences[0])
for line in found.findings:
    print(line)

pl.draw(found).save("captioner.png")
