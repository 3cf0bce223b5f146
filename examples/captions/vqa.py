"""Visual question answering: two questions about one scene, and how the maps move with them."""

import pellucid as pl

net = pl.load("bundled")
scene = pl.read("scene:1000001")

questions = ("what color is the triangle", "what shape is blue")
# fewer scenes and epochs than by default, to be quick: it is right less often
found = pl.captions.vqa(net, scene, questions=questions, samples=800, recipe="epochs=10")
for question, answer in zip(found.questions, found.parts[0], strict=True):
    print(f"{question}? {answer}")

pl.draw(found).save("vqa.png")
