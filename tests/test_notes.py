"""Notes: values with a topic and an image, collected by whoever signs the result."""

from __future__ import annotations

import pytest

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note, collected, say
from pellucid.result import Meta, Table
from tests.test_every_method import photos, tiny

ONE, OTHER, BOTH = Note("values", "zero", "a.png"), Note("values", "zero", "b.png"), Note("network", "draws numbers")


def test_a_note_reads_alone_and_as_a_line_names_its_image() -> None:
    assert (str(ONE), str(BOTH), ONE.text) == ("a.png: zero", "draws numbers", "zero")
    assert [note.about(["a.png"]) for note in (ONE, OTHER, BOTH)] == [True, False, True]
    assert Note.many("values", ["zero"], "a.png") == (ONE,)
    assert len({ONE, OTHER, BOTH, Note("values", "zero", "a.png")}) == 3


def test_each_is_collected_once_by_all_who_listen_and_in_order() -> None:
    say(ONE)  # to nobody
    with collected() as outer:
        say(BOTH)
        with collected() as inner:
            say(OTHER)
            say(OTHER)
        say(BOTH)
    assert (list(outer), list(inner)) == ([BOTH, OTHER], [OTHER])


@method("Noted", source="Nobody 2026, section 1", over="all")
def noted(net: Net, images: Images) -> Table:
    """Says the same in two ways."""
    say(Note("values", "small", images.ids[0]))
    return Table({}, {}, meta=Meta(notes=(*images.notes, Note("values", "small", images.ids[0]))))


def test_what_is_said_stands_once_in_the_result_and_all_of_it_is_a_note() -> None:
    images = Images.from_pictures([*photos(2).pictures], ["a", "b"], [Note("input", "turned", "b")])
    assert noted(tiny(), images).meta.notes == (Note("input", "turned", "b"), Note("values", "small", "a"))
    assert noted(tiny(), images[0]).meta.notes == (Note("values", "small", "a"),)
    assert (images + images[1]).notes == (Note("input", "turned", "b"),) * 2


def test_a_note_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ONE.text = "other"  # type: ignore[misc]


def test_words_are_looked_for_in_the_whole_line() -> None:
    note = Note("input", "first of 12 frames", "panda.gif")
    assert "12 frames" in note
    assert "panda" in note
    assert "hook" not in note
