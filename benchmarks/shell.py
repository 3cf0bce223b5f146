"""Many photos on the command line: whether memory grows with their number, and how long each takes.

`python -m benchmarks.shell PHOTOS [COUNT] [OPTION...]`, for example with 10,000 photos: the folder's images are named
on stdin, as often as it takes. The options are those of `explain`, such as `--net timm:test_resnet --weights random`
for a network that is quick enough for 10,000.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

from pellucid.cli.inputs import inputs

WORDS = ("explain", "-", "--methods", "grad_cam", "--classes", "1", "--json", "--format", "none", "--quiet")
SETTLED = 50
"""Photos after which the first measurement is made: what is loaded once is then there."""


def resident(process: int) -> float:
    """Megabytes of memory that a process has now."""
    line = next(one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main(photos: str, count: int, *options: str) -> None:
    """Print time and memory as the answers come."""
    names = list(itertools.islice(itertools.cycle(inputs([photos]).names), count))
    command = [sys.executable, "-m", "pellucid", *WORDS, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(names))
        process.stdin.close()
        began, settled, most, failed = time.monotonic(), 0.0, 0.0, 0
        for done, line in enumerate(process.stdout, start=1):
            failed += "error" in json.loads(line)
            if done >= SETTLED:
                now = resident(process.pid)
                settled, most = settled or now, max(most, now)
            if done in (1, SETTLED) or done % max(count // 10, 1) == 0:
                print(
                    f"{done:6} photos  {time.monotonic() - began:8.1f} s  {resident(process.pid):7.0f} MB", flush=True
                )
    print(f"exit code {process.returncode}, {failed} failed; memory {settled:.0f} MB after {SETTLED} photos, "
          f"{most:.0f} MB at most: {most / settled - 1:+.1%}")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300, *sys.argv[3:])
