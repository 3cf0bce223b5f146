"""The first question: why did the network say that? Five classes, three methods, one picture."""

import pellucid as pl

net = pl.load("bundled")
answer = pl.explain(net, "sample:panda")
for prediction in answer.ranked:
    print(f"{prediction.probability:6.1%}  {prediction.label}")

pl.draw(answer).save("explain.png")
