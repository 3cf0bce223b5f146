"""The first question: why did the network say that? Five classes, three methods, one picture."""

import pellucid as pl

net = pl.load("bundled")
answer = pl.explain(net, "sample:panda")
for guess in answer.guesses:
    print(f"{guess.probability:6.1%}  {guess.label}")

pl.draw(answer).save("explain.png")
