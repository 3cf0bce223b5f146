"""Notes: what a person should know of a result besides its numbers; and how one said deep inside a call reaches it.

Whoever has something to say about what it just did calls `say`; whoever signs the result collects it. Nobody in between
hands it on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Topic = Literal[
    "input", "unreadable", "network", "scores", "choice", "coverage", "completeness", "sampling", "values", "reading",
    "refused", "check",
]  # fmt: skip
"""What a note is about:

    input         what was given, as it was read (an image, a data set, a training's record), or as a network sees it
    unreadable    images that are left out because they cannot be read
    network       the network: what was not stated, how it behaves, what makes it unreliable
    scores        what its outputs are taken for
    choice        what the method chose where nobody said it: a layer, units, a part of what there is
    coverage      operations that a backward rule does not cover
    completeness  what a map that should sum to the score misses
    sampling      how sure numbers are that come from samples, or from an iteration
    values        the numbers of the answer: zero everywhere, not finite, saturated, arbitrary
    reading       how the answer is to be read, and what it does not say
    refused       a part of the question that was not answered
    check         what was computed in a second way, and did not agree
"""


@dataclass(frozen=True)
class Note:
    """One note. `text` reads alone; `image` is the id of the image that it is about, None where it is about more."""

    topic: Topic
    text: str
    image: str | None = None

    def __str__(self) -> str:
        """One line, which names its image: 'panda.gif: first of 12 frames'."""
        return self.text if self.image is None else f"{self.image}: {self.text}"

    def __contains__(self, words: str) -> bool:
        """Whether these words stand in its line: `any("hook" in note for note in heat.meta.notes)`."""
        return words in str(self)

    @classmethod
    def many(cls, topic: Topic, texts: Iterable[str], image: str | None = None) -> tuple[Note, ...]:
        """A note for each of the texts."""
        return tuple(cls(topic, text, image) for text in texts)

    def about(self, images: Iterable[str]) -> bool:
        """Whether it concerns one of these images; a note that names none concerns them all."""
        return self.image is None or self.image in images


def each_or_all(topic: Topic, text: str, images: Sequence[str], every: Sequence[str]) -> tuple[Note, ...]:
    """What is to be said of these images: once where that is every one of several, else of each by name."""
    all_of_them = len(images) == len(every) > 1
    return (Note(topic, text),) if all_of_them else tuple(Note(topic, text, one) for one in images)


_collecting: ContextVar[tuple[dict[Note, None], ...]] = ContextVar("pellucid_notes", default=())


@contextmanager
def collected() -> Iterator[dict[Note, None]]:
    """All that is said inside the `with` block, in this thread or task: each note once, in the order it was said."""
    said: dict[Note, None] = {}
    token = _collecting.set((*_collecting.get(), said))
    try:
        yield said
    finally:
        _collecting.reset(token)


def say(note: Note) -> None:
    """Tell all who collect; lost where nobody does."""
    for said in _collecting.get():
        said[note] = None
