"""What a judged map costs at real size.

python -m benchmarks.quality [ROUNDS]      # ResNet-50 with random weights and the embedded network, at 224 pixels
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch

import pellucid as pl
from pellucid.evaluation.faithfulness import deletion
from pellucid.evaluation.judged import Case, Judging
from pellucid.evaluation.paths import CHUNK
from pellucid.image_set import ImageSet


def seconds(ask: Callable[[], object]) -> float:
    """CPU time of this process."""
    start = time.process_time()
    ask()
    return time.process_time() - start


def peer(net: pl.Net, case: Case, heat: np.ndarray, bare: Callable[[], object], rounds: int) -> None:
    """The same of Quantus' pixel flipping, in 28 steps of as many pixels."""
    import quantus

    inputs = net.preprocess.normalize(case.pixels[None]).numpy()
    steps = heat.size // 28
    metric = quantus.PixelFlipping(
        features_in_step=steps, perturb_baseline="black", disable_warnings=True, display_progressbar=False
    )
    given = {"model": net.module.eval(), "x_batch": inputs, "y_batch": np.array([0]), "device": "cpu",
             "a_batch": heat[None, None]}  # fmt: skip
    ratios = sorted(seconds(lambda: metric(**given)) / seconds(bare) for _ in range(rounds))
    print(f"{net.name}: Quantus {quantus.__version__}, the same: {np.median(ratios):.3f} "
          f"({ratios[0]:.3f} to {ratios[-1]:.3f})", flush=True)  # fmt: skip


def main(rounds: int) -> None:
    """Deletion of one map beside its bare passes, in turns; then memory after many judged photos."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        large = pl.load("torchvision:resnet50", weights="random")
    for net in (large, pl.load("bundled")):
        measure = deletion()
        judging = Judging(net, ImageSet.of("sample:panda"), measure.judge, measure.protocol.id, measure.shape)
        case = judging.case(0)
        heat = np.random.default_rng(0).random(tuple(case.pixels.shape[-2:]))
        pictures = case.pixels.expand(29, -1, -1, -1).contiguous()

        def bare(net: pl.Net = net, pictures: torch.Tensor = pictures) -> None:
            with torch.no_grad():
                for some in net.preprocess.normalize(pictures).split(CHUNK):
                    net.module.eval()(some)

        def judged(judging: Judging = judging, case: object = case, heat: np.ndarray = heat) -> None:
            judging.judge(case, heat, lambda **_: heat)  # type: ignore[arg-type]

        bare(), judged()
        ratios = sorted(seconds(judged) / seconds(bare) for _ in range(rounds))
        print(f"{net.name}: deletion of a map, CPU time over its 29 bare passes: {np.median(ratios):.3f} "
              f"({ratios[0]:.3f} to {ratios[-1]:.3f}, {rounds} rounds)", flush=True)  # fmt: skip
        if find_spec("quantus"):
            peer(net, case, heat, bare, rounds)
    net, peaks = pl.load("bundled"), []
    for _ in range(4):
        pl.quality.deletion(net, ["sample:panda", "sample:koala"], of="grad_cam,lrp,gradient", steps=8)
        pl.quality.stability(net, ["sample:panda"], of="grad_cam,lrp")
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print("peak of the process after each of four rounds, MB:", *(f"{one:.0f}" for one in peaks))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
