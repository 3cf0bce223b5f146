"""Results about whose images a person decides: which label holds, or that an image is left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.decisions import WORDS, Decision, Decisions
from pellucid.errors import PellucidError, unknown


class Decidable:
    """What has images with labels, and suggests others: `names`, `given` and `suggestions` of each, among `classes`."""

    if TYPE_CHECKING:

        @property
        def names(self) -> tuple[str, ...]: ...
        @property
        def given(self) -> tuple[str, ...]: ...
        @property
        def suggestions(self) -> tuple[str, ...]: ...
        @property
        def classes(self) -> tuple[str, ...]: ...

    @property
    def decidable(self) -> tuple[int, ...]:
        """Places of the images that can be decided about."""
        return tuple(range(len(self.names)))

    def decide(self, path: str | Path, decisions: Mapping[str, str] | None = None) -> Decisions:
        """What a person decided: read from the file that the page of this result writes, or that a former call wrote.

        With `decisions`, {name of an image: "accept", "reject", "remove", or the class that is right}, these are
        written into the file first, whole or not at all, beside what it held. The data itself is never touched.
        Raises PellucidError in one line where the file is about other labels than these, naming the image.
        """
        held = Decisions.read(path) if decisions is None or Path(path).expanduser().exists() else Decisions(())
        place = {self.names[i]: i for i in self.decidable}
        for one in held.rows:
            i = place.get(one.image)
            if i is not None and self.given[i] != one.given:
                raise PellucidError(
                    f"{str(path)!r} is about {one.image!r} as {one.given!r}, here its label is {self.given[i]!r}: "
                    "these decisions are about other labels"
                )
        if decisions is not None:
            held = held.with_rows([self._decision(place, name, said) for name, said in decisions.items()])
            held.write(path)
        return Decisions(held.rows, str(path))

    def _decision(self, place: Mapping[str, int], name: str, said: str) -> Decision:
        if name not in place:
            raise unknown("suspect", name, place)
        i = place[name]
        given, suggestion = self.given[i], self.suggestions[i]
        if said in WORDS and said != "relabel":
            return Decision(name, given, said, suggestion if said == "accept" else "")
        if said not in self.classes:
            raise unknown("decision", said, ("accept", "reject", "remove", *self.classes))
        if said == given:
            return Decision(name, given, "reject")
        return Decision(name, given, "accept" if said == suggestion else "relabel", said)
