"""`pellucid serve`: the explorer, in a browser."""

from __future__ import annotations

import os

import click

from pellucid.cli.common import machine, network, spoken
from pellucid.cli.page import Argument, Command, Option
from pellucid.cli.session import Session, running

_SEVERAL = (
    "given several times, pages show the first, any other can be chosen instead, and methods that compare networks are "
    "asked about all; others may be checkpoints of the first: files, their folder or a pattern"
)


def command() -> click.Command:
    """The command."""
    params = [
        Argument("images", nargs=-1, metavar="[IMAGE…]",
                 help="images, and folders of images, to explore beside the samples"),
        Option("--index", "indexes", multiple=True, metavar="FOLDER", section="Data",
               help="index of the network, made by pellucid index; may be given several times"),
        Option("--host", default="127.0.0.1", section="Server", help="address to listen at; 0.0.0.0 is every one"),
        Option("--port", default=7811, type=click.IntRange(0, 65535), section="Server", help="port; 0 is any free one"),
        Option("--allow-host", multiple=True, metavar="NAME", section="Server",
               help="name by which others may ask this server, besides localhost"),
        Option("--token/--no-token", default=True, section="Server",
               help="whether the link holds a token without which nobody gets in; left out on this machine alone"),
        Option("--new-token", is_flag=True, section="Server", help="make another token: old links end"),
        Option("--open/--no-open", default=None, section="Server", help="open a browser  [default: on a desktop]"),
        *spoken(), *network(several=_SEVERAL), *machine(),
    ]  # fmt: skip
    return Command(
        "serve", running(_serve), purpose="Explore a network in a browser", params=params,
        examples=(
            "pellucid serve photos/ --net torchvision:resnet50 --index photos.index",
            "pellucid serve photos/ --net model.py:net --net 'run/*.pth'",
        ),
        details="Prints a link and answers until it is interrupted. Nothing leaves this machine: the page asks this "
        "server alone, and the server asks nobody. Pictures that are dropped, answers and long work are kept for the "
        "next time.",
    )  # fmt: skip


def _serve(session: Session) -> None:
    from pellucid.web.serve import serve

    given = session.given
    names = ("indexes", "host", "port", "allow_host", "token", "new_token", "open", "device", "threads")
    options = {name: value for name, value in session.loading.items() if value is not None}

    def say(url: str) -> None:
        session.tell({"url": url}, lambda: click.echo(f"Pellucid is at {url}"))

    nets = list(given["net"]) or [os.environ.get("PELLUCID_NET") or "bundled"]
    serve(nets, given["images"], say=say, **{name: given[name] for name in names}, **options)
