"""Progress is told, and whoever listens may stop the work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

import pellucid as pl
from pellucid.progress import imported, listen, steps, stop_point, stoppable
from tests.networks import ModuleRelu


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


def test_work_can_be_stopped_in_the_middle_of_a_step() -> None:
    """Whoever asks for it is asked ahead of each pass, forward and back, and the network is as before."""

    class Stop(BaseException):
        pass

    net = pl.load(ModuleRelu().train(), size=32)
    pixels, asked, most = torch.rand(1, 3, 32, 32), 0, 99

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > most:
            raise Stop

    net.run(pixels)  # what is found out about a network takes passes of its own
    with stoppable(check):
        run = net.run(pixels, grad="pixels")
        forward = asked
        net.gradients(run.scores.sum(), run.pixels)
        back = asked - forward
        assert forward > 2
        assert back > 2
        for after in (0, forward - 1):
            most = asked + after
            with pytest.raises(Stop):
                net.run(pixels)
        before = asked
    assert net.module.training
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.module.modules())
    net.run(pixels)
    stop_point()
    assert asked == before, "nobody asks outside"


def test_work_can_be_stopped_in_the_middle_of_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(1)\nDONE = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def check() -> None:
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stoppable(check):
        imported("slow_to_import")
    assert time.monotonic() - begun < 0.9, "it waited for the end of the import"
    assert imported("slow_to_import").DONE, "the import goes on, and is there for the next"
