"""Context over object: are these animals known by themselves, or by where they are?"""

import pellucid as pl

net = pl.load("bundled")
boxes = {"panda": (80, 20, 318, 225), "koala": (35, 91, 244, 326), "polar_bear": (92, 93, 322, 221)}
classes = {"panda": "giant panda", "koala": "koala", "polar_bear": "ice bear"}
truth = {name: [(classes[name], box)] for name, box in boxes.items()}

found = pl.examples.context(net, [f"sample:{name}" for name in boxes], truth=truth)
print("\n".join(found.findings))
for row in found["photos"].rows:
    print(f"{row['photo']}: {row['whole']:.2f}, animal covered {row['box']:.2f}, all else {row['background']:.2f}")

pl.draw(found).save("context.png")
