"""The options that commands share: where answers go, the network, the machine. Names are chosen so that no method's
option meets them; a test holds that.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import click
from click.shell_completion import CompletionItem

from pellucid.cli import complete
from pellucid.cli.kinds import Formats, Kind, Numbers, Size
from pellucid.cli.options import Count, option, options_from
from pellucid.cli.page import Argument, Option
from pellucid.described import Shell
from pellucid.loading import LoadOptions, PerChannel, Range, Side
from pellucid.plugins import NETWORKS, forms
from pellucid.settings import model

_WRITTEN: tuple[tuple[Any, type[Kind]], ...] = (
    (Side | None, Size),
    (PerChannel | None, Numbers),
    (Range | None, Numbers),
)
"""Types of `load` that a shell writes in a way of its own."""


def common(*, out: bool = False) -> list[Option]:
    """The options of every command that loads a network; `out` adds where the answer is saved."""
    return [*(saved() if out else []), *spoken(), *network(), *machine()]


def saved(default: str = "IMAGE.METHOD.png in this folder") -> list[Option]:
    """Where an answer goes."""
    return [
        Option("-o", "--out", multiple=True, metavar="PATH", section="Output",
               help="file or folder/ to save to, may be given several times; the suffix decides: .png .svg .pdf .jpg "
               ".webp pictures, .npz .json .csv all numbers  " f"[default: {default}]"),
        Option("--format", "formats", type=Formats(), metavar="KIND,…", section="Output",
               help="kinds of file to save for each image, into a folder or here: png,npz,json,csv …, or none  "
               "[default: png]"),
    ]  # fmt: skip


def spoken() -> list[Option]:
    """How a command talks."""
    return [
        Option("--json", is_flag=True, section="Output",
               help="print JSON: one document, or a line for each of several images"),
        Option("-q", "--quiet", is_flag=True, section="General", help="print no progress and no notes"),
        Option("--debug", is_flag=True, section="General", help="print tracebacks and every warning"),
    ]  # fmt: skip


def network(*, several: str = "") -> list[Option]:
    """`--net`, and all that `load` takes besides; `several` says what it is for where it may be given several times."""
    said = f"network to look into: {', '.join(forms(NETWORKS))}{several and f'; {several}'}"
    named = Option(
        "--net", default=None if several else "bundled", envvar=None if several else "PELLUCID_NET", metavar="SPEC",
        multiple=bool(several), section="Network", shell_complete=_networks,
        help=f"{said}  [default: $PELLUCID_NET, or bundled]",
    )  # fmt: skip
    return [named, *options_from(model(), "Network", _kinds())]


def machine() -> list[Option]:
    """Where the work is done."""
    return [
        option("--device", type=Literal["auto", "cpu", "cuda"], default="auto", section="Machine",
               help="processor that runs the network; auto takes a GPU if there is one"),
        option("--threads", type=Count | None, section="Machine", help="number of CPU threads",
               says="$OMP_NUM_THREADS, or 1"),
    ]  # fmt: skip


def images() -> Argument:
    """The images asked about."""
    return Argument("images", nargs=-1, required=True, metavar="IMAGE...",
                    help="image files, folders, patterns such as 'photos/*.jpg', URLs, samples such as sample:panda; "
                    "- reads names from stdin", shell_complete=_images)  # fmt: skip


def _networks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return complete.networks(incomplete)


def _images(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Samples, where one is begun."""
    return complete.samples(incomplete) if incomplete.startswith("sample") else complete.files(incomplete)


@functools.cache
def loaded_as() -> dict[str, str]:
    """What the shell calls each option of `load`: methods have a `size` of their own, so there it is input_size."""
    hints = get_type_hints(LoadOptions, include_extras=True)
    shells = {name: [one for one in hint.__metadata__ if isinstance(one, Shell)] for name, hint in hints.items()}
    return {
        name: found[0].flag.removeprefix("--").replace("-", "_") if found and found[0].flag else name
        for name, found in shells.items()
    }


def _kinds() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for name, field in model().model_fields.items():
        if Path in get_args(field.annotation):  # a file may have any name, with commas in it
            found[name] = click.STRING
        for written, kind in _WRITTEN:
            if field.annotation == written:
                found[name] = kind()
    return found
