"""`pellucid report`: many images explained, as one page that works from disk."""

from __future__ import annotations

import click

from pellucid.cli.common import machine, network, spoken
from pellucid.cli.explain import Methods
from pellucid.cli.options import Count, option
from pellucid.cli.page import Argument, Command, Option
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError


def command() -> click.Command:
    """The command."""
    params = [
        Argument("images", nargs=-1, required=True, metavar="IMAGE…", help="image files, and folders of images"),
        Option("--methods", type=Methods(), default="grad_cam,occlusion", metavar="NAME,…",
               help="methods with a map of a class, a column for each"),
        option("--classes", type=Count, default=1, section="Options",
               help="number of most probable classes to explain of each image"),
        Option("-o", "--out", metavar="PATH", default="report.html", section="Output",
               help="file for the page  [default: report.html]"),
        *spoken(), *network(), *machine(),
    ]  # fmt: skip
    return Command(
        "report", running(_report), purpose="Explain a folder of images on one page to keep and share", params=params,
        examples=(
            "pellucid report photos/ --methods grad_cam,occlusion --out report.html",
            "pellucid report sample:panda sample:koala --net torchvision:resnet50 --classes 3",
        ),
        details="The page is one HTML file: it asks no server, needs no network and works from disk. Values are read "
        "in it by pointer and by keys, as in the explorer. Answers are kept, so that a report that was interrupted "
        "goes on where it was. `pellucid quality report` is another thing: which method is to be trusted.",
    )  # fmt: skip


def _report(session: Session) -> None:
    from pathlib import Path

    from pellucid.cli.files import places
    from pellucid.files import write_atomically
    from pellucid.web.report import report

    given = session.given
    out = given["out"]
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise PellucidError(f"--out {out!r}: a report is one page, such as report.html")
    places([out], ["report"], "report", more=(".html", ".htm"), note=session.watch.note)
    page, failed = report(session.net, given["images"], given["methods"], given["classes"])
    write_atomically(out, lambda file: file.write(page.encode()))
    for error in failed:
        session.watch.note(str(error))
    session.tell({"file": out, "left_out": [str(error) for error in failed]}, lambda: click.echo(out))
