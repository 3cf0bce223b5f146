"""`pellucid index`: a network over a data set, one exact pass, resumable."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import click
from pydantic import Field

from pellucid.cli.options import Command, Count, Kind, Option, common, option
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.sweep import Here, Processes, Store, planned, swept


class Share(Kind):
    """`2/8`: the third of eight machines' shares of the shards."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        match = re.fullmatch(r"(\d+)/(\d+)", str(value))
        if not match or not 0 <= int(match[1]) < int(match[2]):
            self.fail(f"{value!r}: the i-th of n, counted from 0, such as 2/8", param, ctx)
        return int(match[1]), int(match[2])


def command() -> click.Command:
    """The command."""
    own = [
        Option("--store", metavar="FOLDER", help="where the index is kept", required=True),
        Option("--layers", metavar="NAME,…", help="which layers  [default: all with weights]"),
        Option("--embed", metavar="NAME,…", help="layers kept as a row per picture  [default: what the head reads]"),
        Option("--pool", metavar="NAME,…", help="layers whose maxima are kept of every picture"),
        option("--count", type=Annotated[int, Field(ge=1, le=10_000)], default=100, help="strongest pictures kept"),
        option("--bottom", type=Annotated[int, Field(ge=0, le=10_000)], default=10, help="weakest pictures kept"),
        option("--probe", type=Annotated[int, Field(ge=0)], default=10_000, help="random pictures kept of all units"),
        option("--shard", type=Annotated[int, Field(ge=2)], default=512, help="pictures in a shard, lost at most"),
        option("--seed", type=Annotated[int, Field(ge=0)], default=0, help="of the order, and of the places sampled"),
        option("--runner", type=Literal["local"], default="local", help="where the work is done"),
        option("--workers", type=Count, default=1, help="processes, of one thread each"),
        Option("--share", type=Share(), metavar="I/N", help="only the i-th of n shares: for job arrays"),
        Option("--check", is_flag=True, help="compare every file with its checksum, and do nothing else"),
    ]  # fmt: skip
    source = click.Argument(["source"], required=False, metavar="PICTURES", type=click.Path())
    return Command(
        "index", running(_index), params=[source, *own, *common()],
        summary="A network over a data set: one exact pass, resumable",
        doc="Run the network over all pictures once, and keep of every unit its strongest pictures, its statistics, "
        "and of every picture its embedding. PICTURES is a folder (with a folder for each class, if there are), "
        "shards-{000..031}.tar, x.parquet, x.npz, or a folder of Hugging Face datasets. Run the same line again to "
        "go on after a crash: at most one shard is done twice.",
    )  # fmt: skip


def _index(session: Session) -> None:
    given = session.given
    if given["check"]:
        _check(session)
        return
    if not given["source"]:
        raise PellucidError(f"index needs pictures: pellucid index photos/ --store {given['store']}")
    source = Source.of(given["source"])
    names = {
        name: [one.strip() for one in given[name].split(",")] if given[name] else None
        for name in ("layers", "embed", "pool")
    }
    loaded = ("weights", "labels", "output", "mean", "std")
    spec = {"spec": given["net"], "size": given.get("input_size"), **{name: given[name] for name in loaded}}
    plan = planned(
        session.net, source, spec=spec, layers=names["layers"], embedded=names["embed"], pooled=names["pool"] or (),
        **{name: given[name] for name in ("count", "bottom", "probe", "shard", "seed")},
    )  # fmt: skip
    runner = Here(session.net, source) if given["workers"] == 1 else Processes(given["workers"])
    store = swept(plan, given["store"], runner, part=given["share"] or (0, 1))
    bad = store.bad()
    for image, reason in bad[:5]:
        session.watch.note(f"{source.name(image)}: {reason}")
    done = len(store.committed())
    finished = done == plan.shards
    said = f"{plan.images} pictures, {len(plan.units)} units, {done} of {plan.shards} shards, {len(bad)} unreadable"
    session.watch.remark(said)
    facts = {"images": plan.images, "units": len(plan.units), "shards": done, "of": plan.shards, "bad": len(bad)}
    digest = store.current["digest"] if finished else None
    session.tell({"store": given["store"], **facts, "digest": digest}, lambda: click.echo(given["store"]))


def _check(session: Session) -> None:
    store = Store.open(session.given["store"])
    wrong = store.check()
    if wrong:
        raise PellucidError(f"{session.given['store']}: {len(wrong)} damaged: {'; '.join(wrong[:3])}")
    session.tell({"store": session.given["store"], "wrong": []}, lambda: click.echo(f"{session.given['store']}: sound"))
