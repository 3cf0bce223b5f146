"""The command line: text from people in, results on stdout, all else on stderr, an exit code that means something.

This file runs before torch, numpy and rich are there, and turns every way to end into one line and one code.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn

import click
from click.exceptions import Exit
from click.shell_completion import shell_complete

from pellucid.cli.watch import Watch
from pellucid.errors import PellucidError, unknown

USAGE, SOME_FAILED, BUG, INTERRUPTED, PIPE_CLOSED = 2, 4, 70, 130, 141
"""Exit codes; a PellucidError has its own. The last is what a shell says of a program that SIGPIPE ended."""
COMPLETE = "_PELLUCID_COMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, `sys.argv` by default, and return its exit code. Raises nothing."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    watch = Watch(quiet=COMPLETE in os.environ or not {"--quiet", "-q"}.isdisjoint(arguments))
    with ExitStack() as stack:
        stack.enter_context(_streams())
        stack.enter_context(_quiet_warnings(watch, debug))
        stack.enter_context(_signals(watch.signals))
        try:
            return _run(arguments, watch)
        except BaseException as error:
            watch.clear()
            code, line = (INTERRUPTED, "") if watch.signals else _answer(error)
            if debug and code != PIPE_CLOSED:
                traceback.print_exc()
            if code == INTERRUPTED:
                watch.interrupted()
            elif line:
                watch.error(line)
                if "--json" in arguments and code != PIPE_CLOSED:
                    _failure(arguments[0], watch.words(line), code)
            if code == PIPE_CLOSED:
                _forget_stdout()
            if code == INTERRUPTED and argv is None:
                _leave(code)
            return code


def _run(arguments: list[str], watch: Watch) -> int:
    from pellucid.cli.group import group

    with suppress(OSError):  # a closed stdout is noticed when something is written to it
        sys.stdout.flush()
    # Not click's own main(): that one prints, and wraps stdout, when it is interrupted or its reader leaves.
    command = group()
    if COMPLETE in os.environ:
        return shell_complete(command, {"obj": watch}, "pellucid", COMPLETE, os.environ[COMPLETE])
    try:
        with command.make_context("pellucid", arguments, obj=watch) as context:
            ended = command.invoke(context)
    except Exit as end:
        ended = end.exit_code
    watch.clear()
    sys.stdout.flush()
    return ended if isinstance(ended, int) else 0


def _failure(command: str, line: str, code: int) -> None:
    """Whoever reads JSON is told there, too, that a command as a whole has failed: one line."""
    import json

    from pellucid.cli.session import head

    with suppress(OSError, ValueError):
        print(json.dumps({**head(command), "error": line, "exit_code": code}), flush=True)


def _answer(error: BaseException) -> tuple[int, str]:
    """The exit code and the line for a command that did not end well."""
    match error:
        case PellucidError():
            return error.exit_code, str(error)
        case KeyboardInterrupt():
            return INTERRUPTED, ""
        case click.ClickException():
            return USAGE, _usage(error)
        case BrokenPipeError():
            return PIPE_CLOSED, ""
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return USAGE, f"cannot write: {error.strerror}"
        case MemoryError():
            return 3, "out of memory: try a smaller --input-size, or fewer images at once"
    last = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {last[0][:200]}" if last else type(error).__name__
    return BUG, f"a bug in Pellucid ({said}); the same command with --debug shows where"


def _usage(error: click.ClickException) -> str:
    """What click found wrong with the command line, in our words: one line with the names that would work."""
    context: click.Context | None = getattr(error, "ctx", None)
    command = (context.info_name or "").replace("_", "-") if context else "pellucid"
    parameter: click.Parameter | None = getattr(error, "param", None)
    match error:
        case click.NoSuchOption() if context:
            known = [
                name for p in context.command.get_params(context) if isinstance(p, click.Option) for name in p.opts
            ]
            long = [name for name in known if name.startswith("--")]
            return str(unknown(f"{command} option", error.option_name, long))
        case click.MissingParameter() if isinstance(parameter, click.Argument):
            what = (parameter.human_readable_name or "argument").strip("[].").lower()
            if what != "image":
                return f"{command} needs {what.upper()}: {context.command.get_usage(context)}" if context else what
            return f"{command} needs at least one {what}: pellucid {command} {what}.jpg, or sample:panda"
        case click.MissingParameter() if parameter:
            return f"{command} needs {parameter.opts[0]}: pellucid {command} --help says more"
        case click.BadParameter() if parameter:
            return f"{command}: {parameter.opts[0]} {error.message}"
    said = error.format_message().rstrip(".")
    return (f"{command}: " if context else "") + said[:1].lower() + said[1:]


@contextmanager
def _signals(came: list[int]) -> Iterator[None]:
    """SIGTERM ends a command like Ctrl-C does: temporary files are removed. Whatever comes is added to the list."""

    def stop(number: int, _: object) -> None:
        came.append(number)  # imports may turn the KeyboardInterrupt into another error
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _quiet_warnings(watch: Watch, debug: bool) -> Iterator[None]:
    """Warnings become notes of one line, once each; those for programmers, and logs, only show with --debug."""
    if debug:
        yield
        return

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        said = " ".join(str(message).split())[:200]
        if issubclass(category, UserWarning | RuntimeWarning):
            watch.note(said)

    silent = logging.NullHandler()
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read by torch when it is imported
    logging.getLogger().addHandler(silent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = show
            yield
    finally:
        logging.getLogger().removeHandler(silent)


@contextmanager
def _streams() -> Iterator[None]:
    """stdout and stderr that take any text: × in an ASCII terminal, file names that are no UTF-8, closed ones."""
    before = sys.stdout, sys.stderr
    nowhere = open(os.devnull, "w", encoding="utf-8") if None in before else None  # noqa: SIM115  # until the process ends
    sys.stdout, sys.stderr = (stream or nowhere for stream in before)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            unicode = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _leave(code: int) -> NoReturn:
    """End the process now: an interpreter that met a KeyboardInterrupt within exec() ends with a code of its own."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _forget_stdout() -> None:
    """Whoever read stdout is gone; the interpreter must not complain when it flushes at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
