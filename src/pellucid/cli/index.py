"""`pellucid index`: a network over a data set, one exact pass, resumable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import BaseModel

from pellucid.cli import settled
from pellucid.cli.common import common
from pellucid.cli.kinds import Kind
from pellucid.cli.options import Count, option, options_from
from pellucid.cli.page import Argument, Command, Option
from pellucid.cli.session import Session, running
from pellucid.errors import BadImage, PellucidError
from pellucid.images.sources import Source
from pellucid.index.folds import STANDARD
from pellucid.index.make import without
from pellucid.index.plan import planned
from pellucid.plugins import IMAGES, forms
from pellucid.sweep import BadStore, Plan, Processes, Ray, Runner, Serial, Store, share, swept
from pellucid.sweep.fold import options_of

_LINE = 3
"""Damaged files that are named in one line; of more each has a line of its own."""
_FEW = 0.001
"""Of the images: so many may be unreadable before the command says by its exit code that some are."""


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
    asked = [one for one in options_from(_options()) if one.name in ("layers", "shard", "seed")]
    own = [
        Option("--store", metavar="FOLDER", help="folder of the index", required=True, section="Output"),
        *asked,
        *options_from(options_of(*STANDARD)),
        option("--runner", type=Literal["local", "ray", "array"], default="local", section="Machine",
               help="place of the work: this machine, a Ray cluster, or this job of an array (SLURM, torchrun, "
               "Kubernetes …)"),
        option("--workers", type=Count | None, says="1, with ray every CPU", section="Machine",
               help="number of processes, of one thread each"),
        Option("--address", metavar="HOST:PORT", section="Machine",
               help="address of the Ray cluster  [default: $RAY_ADDRESS, or a new one]"),
        Option("--share", type=Share(), metavar="I/N", section="Machine",
               help="share of the work that this job does, counted from 0: 2/8  [default: 0/1, or from the job array]"),
        Option("--retry", is_flag=True,
               help="do shards again that are damaged, had unreadable images, or whose images have changed"),
        Option("--check", is_flag=True, help="compare every file with its checksum, and do nothing else"),
    ]  # fmt: skip
    source = Argument(
        "source",
        otherwise=settled.data,
        required=False,
        metavar="IMAGES",
        help=f"{'; '.join(forms(IMAGES))}; folders, tars and parquet files may be URLs (s3://…)",
    )
    return Command(
        "index", running(_index), params=[source, *own, *common()],
        purpose="Record what every unit of a network does over a data set",
        examples=(
            "pellucid index samples --store samples.index --layers blocks.4",
            "pellucid index photos/ --store photos.index --net timm:resnet50 --workers 4",
        ),
        details="Run the network over all images once, and keep of every unit its strongest images and statistics, "
        "and of every image its embedding. Run the same line again to go on after a crash: at most one shard is done "
        "twice. Pictures that cannot be read are left out and listed; where they are more than 1 in 1000, it ends with "
        "exit code 4. Of a job array, each machine runs the same line; the index is finished by whichever finds all "
        "shares done, or by one more run.",
    )  # fmt: skip


def _options() -> type[BaseModel]:
    """The options of `pellucid.units.index`."""
    from pellucid.catalogue import options_of
    from pellucid.methods.units import index

    return options_of(index)


def _index(session: Session) -> None:
    given = session.given
    if given["check"]:
        _check(session)
        return
    if not given["source"]:
        raise PellucidError(f"index needs images: pellucid index photos/ --store {given['store']}")
    source = Source.of(given["source"])
    for note in source.notes:
        session.watch.note(str(note))
    spec = {name: _anywhere(value) for name, value in session.loading.items()} | {"spec": _anywhere(given["net"])}
    plan = planned(
        session.net, source, spec=spec, layers=given["layers"],
        **{name: given[name] for name in (*options_of(*STANDARD).model_fields, "shard", "seed")
           if given[name] is not None},
    )  # fmt: skip
    if given["retry"]:
        if given["share"] or given["runner"] == "array":
            raise PellucidError("--retry is for one machine at a time: run it without --share, then the shares again")
        session.watch.note(f"{Store.begun(given['store'], plan).retry(source)} shards are done again")
    part = given["share"] or (share() if given["runner"] == "array" else (0, 1))
    try:
        store = swept(plan, given["store"], _runner(session, source), part=part)
    except BaseException as error:
        if session.watch.signals or isinstance(error, KeyboardInterrupt):
            session.watch.note(f"{_done(given['store'], plan)}; run the same line again to go on")
        raise
    for note in without(plan, store):
        session.watch.note(str(note))
    _report(session, source, store)


def _anywhere(text: Any) -> Any:
    """What names a file does so for whoever works in another folder, too."""
    file, colon, name = text.partition(":") if isinstance(text, str) and ".py:" in text else (text, "", "")
    return f"{Path(file).absolute()}{colon}{name}" if isinstance(file, str) and Path(file).is_file() else text


def _runner(session: Session, source: Source) -> Runner:
    """Where the work is done."""
    given = session.given
    if given["runner"] == "ray":
        return Ray(given["workers"], address=given["address"])
    if given["address"]:
        raise PellucidError("--address is that of a Ray cluster: say --runner ray")
    return Processes(given["workers"]) if (given["workers"] or 1) > 1 else Serial(session.net, source)


def _done(folder: str, plan: Plan) -> str:
    return f"{len(Store(folder, plan).committed())} of {plan.shards} shards are done"


def _report(session: Session, source: Source, store: Store) -> None:
    """What there is now; the images that could not be read make it fail where they are more than a few."""
    plan, bad, done = store.plan, store.bad(), len(store.committed())
    many = len(bad) > _FEW * plan.images
    names = [(source.name(image), reason) for image, reason in bad]
    for name, reason in names if many else names[:5]:
        session.watch.note(reason if Path(name).name in reason else f"{name}: {reason}")
    if many:
        session.failed += [(name, BadImage(reason)) for name, reason in names]
    session.watch.remark(
        f"{plan.images} images, {len(plan.units)} units, {_done(str(store.folder), plan)}, {len(bad)} unreadable"
    )
    facts = {"images": plan.images, "units": len(plan.units), "shards": done, "of": plan.shards, "bad": len(bad)}
    unreadable = [{"image": name, "error": reason} for name, reason in names]
    digest = store.current["digest"] if store.finished else None
    folder = session.given["store"]
    session.tell({"store": folder, **facts, "unreadable": unreadable, "digest": digest}, lambda: click.echo(folder))


def _check(session: Session) -> None:
    store = Store.open(session.given["store"])
    wrong = store.check()
    if wrong:
        for line in wrong if len(wrong) > _LINE else ():
            session.watch.error(line, going_on=True)
        named = f": {'; '.join(wrong)}" if len(wrong) <= _LINE else ""
        raise BadStore(f"{session.given['store']}: {len(wrong)} damaged{named}; --retry does them again")
    session.tell({"store": session.given["store"], "wrong": []}, lambda: click.echo(f"{session.given['store']}: sound"))
