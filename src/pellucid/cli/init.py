"""`pellucid init`: pellucid.toml for this folder, by questions, or by flags; tried before it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pellucid import settings
from pellucid.cli.common import loaded_as, machine, network, spoken
from pellucid.cli.page import Command, Option
from pellucid.cli.predict import document, lines
from pellucid.cli.session import Session, running
from pellucid.errors import PellucidError, Refused
from pellucid.files import write_atomically

if TYPE_CHECKING:
    from pellucid.cli.predict import Ranked

_ASKED = {
    "net": "Network (a name such as timm:resnet50, or path/to/file.py:function)",
    "weights": "File of its weights, if they are not the network's own",
    "labels": "File of its class names, if they do not come with it",
    "input_size": "Side of its input in pixels, if it is not known",
    "value_range": "Lowest and highest value of the images, such as 0,65535, if they are not 8-bit photos",
    "mean": "Mean that it was trained with, in these values, or from 0 to 1 where you named none",
    "std": "Standard deviation, in the same values",
    "data": "Folder or file of your labeled images",
}
"""The questions, each answered by the option of that name, too; no answer leaves it out."""


def command() -> click.Command:
    """The command."""
    named, *rest = network()
    named.help = f"{(named.help or '').partition('  [')[0]}  [default: bundled]"
    named.envvar = None
    params = [
        named, *rest,
        Option("--data", metavar="PATH", section="Data", help="folder or file of labeled images"),
        Option("--try", "image", metavar="IMAGE", section="Data",
               help="image to try the network on  [default: the first of the data, or sample:panda]"),
        Option("--replace", is_flag=True, help="write the file anew where there is one"),
        Option("--trust", is_flag=True,
               help="write nothing: agree that the code that the file here names is run, until the file is changed"),
        *spoken(), *machine(),
    ]  # fmt: skip
    return Command(
        "init", running(_init), purpose="Write down a network and its images for this folder", params=params,
        examples=(
            "pellucid init",
            "pellucid init --net model.py:net --weights best.ckpt --value-range 0,65535 --mean 329.7 --std 211.2",
        ),
        details=f"All commands in this folder, and pl.load('{settings.NAME}'), then take what the file says, where "
        "nothing else is said. On a terminal, what no option answers is asked. The network is tried on an image before "
        "anything is written, and its answer is shown. Code that a file names is run only after `pellucid init`, or "
        "`pellucid init --trust`, on this machine.",
    )  # fmt: skip


def _init(session: Session) -> None:
    given, file = session.given, Path(settings.NAME)
    if given["trust"]:
        found = settings.read(file)
        settings.trust(file)
        session.tell({"file": str(file), "network": found.network}, lambda: click.echo(str(file)))
        return
    if file.exists() and not given["replace"]:
        raise PellucidError(f"{file} is there already: --replace writes it anew, --trust agrees to what it names")
    asking = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    if asking:
        _ask(given)
    said = _said(given)
    image = _image(session)
    net = session.net
    predicted = net.predict(session.read(image), 3)
    for note in dict.fromkeys(map(str, (*net.notes, *predicted.meta.notes))):
        session.watch.note(note)
    ranked: Ranked = (image, predicted.ranked[0])
    if asking:
        session.watch.clear()
        lines(*ranked, titled=True)
        if not click.confirm("Write it?", default=True, err=True):
            raise Refused(f"nothing is written to {file}: 'pellucid init' again asks anew")
    write_atomically(file, lambda out: out.write(settings.written(said).encode("utf-8", "surrogateescape")))
    settings.read(file)  # whoever reads it next must be able to
    settings.trust(file)

    def told() -> None:
        if not asking:
            lines(*ranked, titled=True)
        click.echo(str(file))

    session.tell({"file": str(file), "settings": said, **document(session, ranked)}, told)


def _ask(given: dict[str, Any]) -> None:
    """Whatever no option has answered."""
    ctx = click.get_current_context()
    params = {param.name: param for param in ctx.command.params}
    for name, question in _ASKED.items():
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            continue
        param = params[name]

        def read(text: str, param: click.Parameter = param) -> Any:
            return param.type_cast_value(ctx, text) if text.strip() else None

        usual = "bundled" if name == "net" else ""
        answer = click.prompt(question, default=usual, show_default=bool(usual), value_proc=read, err=True)
        given[name] = answer or (usual or None)


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """What the file says, in the names of `load`."""
    options = {name: given[shell] for name, shell in loaded_as().items()}
    said = {"network": given["net"], **options, "data": given["data"]}
    plain = {name: value[0] if isinstance(value, tuple) and len(value) == 1 else value for name, value in said.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _image(session: Session) -> str:
    """What the network is tried on."""
    given = session.given
    if given["image"]:
        return str(given["image"])
    if given["data"]:
        from pellucid.cli.inputs import inputs

        if Path(given["data"]).is_dir():
            return inputs([given["data"]]).names[0]
    channels = session.net.preprocess.channels
    if channels not in (None, 3):
        raise PellucidError(f"the network takes images of {channels} channels: name one to try it on, --try IMAGE")
    return "sample:panda"
