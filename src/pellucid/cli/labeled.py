"""What is asked about labeled data and about several networks: how both stand on a command line, and are opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pellucid.catalogue import Entry
from pellucid.cli import indexed, settled
from pellucid.cli.common import common, saved
from pellucid.cli.page import Argument, Option
from pellucid.cli.session import Session
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.history import History
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.nets import Checkpoint, Nets, is_checkpoint
from pellucid.nouns import Noun
from pellucid.resume import resumable

_SUBSET = Option("--subset", type=click.IntRange(min=1), metavar="INT", section="Target",
                 help="number of images, drawn at random from the data (seed 0)  [default: all]")  # fmt: skip
_WITH = Option("--with", "others", multiple=True, metavar="NETS", section="Target",
               help="one more network, or checkpoint of the first one; may be given several times")  # fmt: skip
_RESUME = Option("--resume", metavar="FOLDER", section="Output",
                 help="folder that keeps what is found, where the same command goes on later")  # fmt: skip

_WORKERS = Option("--workers", type=click.IntRange(min=1), metavar="INT", section="Machine",
                  help="number of processes that share the work, of one thread each  [default: this one; "
                  "with a cluster one for each of its processors]")  # fmt: skip
_ADDRESS = Option("--address", metavar="HOST:PORT", section="Machine",
                  help="Ray cluster whose tasks these are, or 'here' for one of this machine")  # fmt: skip


def has(entry: Entry) -> bool:
    """Whether a method asks about any of them."""
    return entry.asks(Data, Nets, History)


def network_first(entry: Entry) -> bool:
    """Whether the network may stand before the data: `pellucid gradient-flow model.py:net data/`."""
    return entry.asks(Data) and entry.asks(Net) and not entry.asks(Images, Nets)


def argument(kind: type[Noun], name: str) -> Argument:
    """The data, with the network before it where it is named."""
    said = f"the network (or --net), and {'the data: ' if kind is Data else ''}{kind.help}"
    return Argument(name, help=said, otherwise=settled.data, nargs=-1, required=True, metavar=f"[SPEC] {kind.written}")


def shared(entry: Entry, *printed: str) -> list[Option]:
    """Where an answer goes and what a network is loaded with; where networks are arguments, --net names the one that
    checkpoints are weights of.
    """
    more = [_SUBSET] if entry.asks(Data) else []
    if entry.asks(Nets):
        more.append(_WITH)
    found = [
        *more,
        *saved(*printed or ("FIRST.METHOD.png in this folder, after the first argument",)),
        *([_RESUME, _WORKERS, _ADDRESS] if entry.resumable else []),
        *common(),
    ]
    if not entry.asks(Nets):
        return found
    named = next(one for one in found if one.name == "net")
    named.default, named.envvar = None, None
    named.help = "network that checkpoints are weights of"
    return found


@contextmanager
def shared_out(given: dict[str, Any]) -> Iterator[None]:
    """With what was found before, and by the workers that were asked for."""
    with ExitStack() as undo:
        if given.get("resume"):
            undo.enter_context(resumable(given["resume"]))
        if given.get("workers") or given.get("address"):
            from pellucid.workers import spread

            undo.enter_context(spread(given.get("workers"), ray=given.get("address")))
        yield


def opened_by(session: Session, entry: Entry) -> dict[str, Any]:
    """The data and the networks that a method asks about, by argument."""
    if not has(entry):
        return {}
    given, found = session.given, dict[str, Any]()
    session.use_threads()
    for name, kind in entry.nouns.items():
        if issubclass(kind, Data):
            if entry.asks(Net):
                _network_of_an_index(session, given[name])
            data = kind.of(given[name])
            found[name] = data.subset(given["subset"], seed=0) if given.get("subset") else data
        elif issubclass(kind, Nets):
            found[name] = _networks(session, (*given[name], *given["others"]))
        elif issubclass(kind, History):
            found[name] = History.of(given[name])
    return found


def _network_of_an_index(session: Session, place: str) -> None:
    """Where the images are those of an index and no network was named, the one that it was made with is asked."""
    if session.given.get("unnamed") and (Path(place) / "plan.json").is_file():
        with session.watch.busy(f"loading the network of {place}"):
            vars(session)["net"] = session.placed(indexed.opened(place, {}).net)


def split(entry: Entry, given: dict[str, Any]) -> None:
    """`SPEC DATA` as a network and data. PellucidError for more than that."""
    if not network_first(entry):
        return
    name = str(entry.argument(Data))
    words = given[name]
    if len(words) > 2:
        raise PellucidError(
            f"{' '.join(words)}: {entry.name} takes one network and its data, "
            f"such as pellucid {entry.name} model.py:net photos/"
        )
    source = click.get_current_context().get_parameter_source("net")
    given["unnamed"] = len(words) == 1 and source is ParameterSource.DEFAULT
    if len(words) == 2:
        given["net"] = words[0]
    given[name] = words[-1]


def _networks(session: Session, words: tuple[str, ...]) -> Nets:
    said = {name: value for name, value in session.loading.items() if value is not None}
    if session.given["others"] and not session.given.get("net") and not is_checkpoint(Path(words[0])):
        session.given["net"] = words[0]  # whose checkpoints the others may be
    named = session.net if session.given.get("net") else None
    with session.watch.busy("loading the networks"):
        nets = Nets.of(list(words), net=named, **said)
    each = tuple(one if isinstance(one, Checkpoint) else session.placed(one) for one in nets.each)
    return replace(nets, each=each)
