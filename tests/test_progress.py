"""Progress is told, and whoever listens may stop the work."""

from __future__ import annotations

import pytest

from pellucid.progress import listen, steps


def test_listeners_hear_every_step_and_only_inside() -> None:
    heard: list[tuple[str, int, int | None]] = []
    with listen(lambda *step: heard.append(step)):
        assert list(steps([5, 6], "work")) == [5, 6]
    list(steps([7], "unheard"))
    assert heard == [("work", 0, 2), ("work", 1, 2), ("work", 2, 2)]
    with listen(lambda *step: heard.append(step)):
        list(steps((x for x in [1]), "stream"))
    assert heard[3:] == [("stream", 0, None), ("stream", 1, None)]


def test_a_listener_can_stop_the_work() -> None:
    class Stop(Exception):
        pass

    def stop(what: str, done: int, total: int | None) -> None:
        if done == 2:
            raise Stop

    done = []
    with pytest.raises(Stop), listen(stop):
        done.extend(steps(range(5), "work"))
    assert done == [0, 1]
