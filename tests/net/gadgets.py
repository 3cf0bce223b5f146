"""Pickles that do harm when they are opened: each would create a file. Shared by the tests of the two walls."""

from __future__ import annotations

import argparse
import builtins
import code
import concurrent.futures
import cProfile
import functools
import importlib
import importlib.machinery
import io
import itertools
import logging
import marshal
import operator
import os
import pathlib
import pickle
import profile
import pty
import runpy
import shutil
import sqlite3
import subprocess
import tempfile
import timeit
import types
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.utils.collect_env


class Call:
    """An object whose pickle says: call this function with these arguments."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.answer = (function, arguments)

    def __reduce__(self) -> Any:
        return self.answer


class CallEx(Call):
    """The same by the other method."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.answer


class Late:
    """The same hidden in the state that is restored after the object was made."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return argparse.Namespace, (), {"x": self.call}


class InList:
    """The same hidden in the items that a list subclass brings."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return list, (), None, iter([self.call])


def objects(marker: str) -> dict[str, Any]:
    """Every gadget by name; opening one creates the file `marker` + '.' + its name."""

    def target(name: str) -> str:
        return f"{marker}.{name}"

    def shell(name: str) -> str:
        return f"touch {target(name)}"

    def python(name: str) -> str:
        return f"open({target(name)!r}, 'w').close()"

    def script(name: str) -> str:
        path = f"{marker}-{name}.py"
        pathlib.Path(path).write_text(python(name))
        return path

    def compiled(name: str) -> types.CodeType:
        return compile(python(name), "x", "exec")

    method = operator.methodcaller
    made = {
        "os_system": lambda n: Call(os.system, shell(n)),
        "reduce_ex": lambda n: CallEx(os.system, shell(n)),
        "state": lambda n: Late(Call(os.system, shell(n))),
        "list_items": lambda n: InList(Call(os.system, shell(n))),
        "os_popen": lambda n: Call(method("read"), Call(os.popen, shell(n))),
        "os_open": lambda n: Call(os.open, target(n), os.O_CREAT | os.O_WRONLY),
        "os_mkdir": lambda n: Call(os.mkdir, target(n)),
        "os_symlink": lambda n: Call(os.symlink, "/", target(n)),
        "os_spawn": lambda n: Call(os.spawnlp, os.P_WAIT, "touch", "touch", target(n)),
        "eval": lambda n: Call(builtins.eval, python(n)),
        "exec": lambda n: Call(builtins.exec, python(n)),
        "open": lambda n: Call(builtins.open, target(n), "w"),
        "import": lambda n: Call(method("system", shell(n)), Call(builtins.__import__, "os")),
        "getattr": lambda n: Call(Deferred(builtins.getattr, Call(importlib.import_module, "os"), "system"), shell(n)),
        "map": lambda n: Call(list, Call(map, os.system, [shell(n)])),
        "popen": lambda n: Call(method("wait"), Call(subprocess.Popen, ["touch", target(n)])),
        "subprocess_run": lambda n: Call(subprocess.run, ["touch", target(n)]),
        "check_output": lambda n: Call(subprocess.check_output, ["touch", target(n)]),
        "getoutput": lambda n: Call(subprocess.getoutput, shell(n)),
        "runpy_path": lambda n: Call(runpy.run_path, script(n)),
        "runpy_code": lambda n: Call(runpy._run_code, Code(compiled(n)), {}),
        "loader": lambda n: Call(method("load_module"), Call(importlib.machinery.SourceFileLoader, n, script(n))),
        "partial": lambda n: Call(functools.partial(os.system, shell(n))),
        "reduce": lambda n: Call(functools.reduce, operator.call, [os.system, shell(n)]),
        "operator_call": lambda n: Call(operator.call, os.system, shell(n)),
        "starmap": lambda n: Call(list, Call(itertools.starmap, os.system, [(shell(n),)])),
        "timeit": lambda n: Call(timeit.timeit, python(n), "pass", timeit.default_timer, 1),
        "pty": lambda n: Call(pty.spawn, ["touch", target(n)]),
        "code": lambda n: Call(method("runsource", python(n)), Call(code.InteractiveInterpreter)),
        "profile": lambda n: Call(profile.run, python(n)),
        "cprofile": lambda n: Call(cProfile.run, python(n)),
        "function": lambda n: Call(
            Deferred(
                Deferred(builtins.getattr, Call(importlib.import_module, "types"), "FunctionType"),
                Code(compiled(n)),
                {"open": open},
            )
        ),
        "thread": lambda n: Call(method("submit", os.system, shell(n)), Call(concurrent.futures.ThreadPoolExecutor)),
        "copyfile": lambda n: Call(shutil.copyfile, script(n), target(n)),
        "touch": lambda n: Call(method("touch"), pathlib.PosixPath(target(n))),
        "fileio": lambda n: Call(io.FileIO, target(n), "w"),
        "tempfile": lambda n: Call(tempfile.NamedTemporaryFile, "w", -1, None, None, "", target(n), "/", False),
        "logging": lambda n: Call(logging.FileHandler, target(n)),
        "sqlite": lambda n: Call(method("execute", "create table t (x)"), Call(sqlite3.connect, target(n))),
        "zipfile": lambda n: Call(zipfile.ZipFile, target(n), "w"),
        "filetype": lambda n: Call(Deferred(argparse.FileType, "w"), target(n)),
        "numpy_save": lambda n: Call(method("tofile", target(n)), np.zeros(1)),
        "torch_save": lambda n: Call(torch.save, {}, target(n)),
        "torch_env": lambda n: Call(torch.utils.collect_env.run, shell(n)),
        "torch_load": lambda n: Call(
            functools.partial(torch.load, weights_only=False), Bytes(pickle.dumps(Call(os.system, shell(n))))
        ),
    }
    return {name: make(name) for name, make in made.items()}


class Deferred(Call):
    """A function that is itself the result of a call."""

    def __call__(self, *_: Any) -> None:
        """Pickle wants the first of a reduction to be callable."""


class Code(Call):
    """A code object, which pickle cannot write."""

    def __init__(self, compiled: types.CodeType) -> None:
        super().__init__(marshal.loads, marshal.dumps(compiled))


class Bytes(Call):
    """A file in memory."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO, content)


def raw(marker: str) -> dict[str, bytes]:
    """Gadgets in opcodes that Python itself no longer writes."""

    def shell(name: str) -> bytes:
        return f"touch {marker}.{name}".encode()

    return {
        "inst": b"(S'" + shell("inst") + b"'\nios\nsystem\n.",
        "obj": b"(cos\nsystem\nV" + shell("obj") + b"\no.",
        "global_0": b"cposix\nsystem\n(S'" + shell("global_0") + b"'\ntR.",
        "memo": b"\x80\x02cos\nsystem\nq\x00X" + len(shell("memo")).to_bytes(4, "little") + shell("memo") + b"\x85R.",
        "stack_global": pickle.dumps(Call(os.system, shell("stack_global").decode()), 4),
    }
