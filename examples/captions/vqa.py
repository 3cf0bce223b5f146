"""Visual question answering: two questions about one scene, and how the maps move with them."""

import pellucid as pl

net = pl.load("bundled")
scene = pl.read("scene:1000001")

found = pl.captions.vqa(net, scene, questions=("what color is the triangle", "what shape is blue"))
for question, answer in zip(found.questions, found.parts[0], strict=True):
    print(f"{question}? {answer}")

pl.draw(found).save("vqa.png")
