"""Random numbers by counter: they depend on a seed and on what they are for, and on nothing else.

A sampled map is then the same whatever the batch size, the order of the images, the chunk, the thread or the worker.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
from pydantic import Field

Seed = Annotated[
    int, Field(ge=0, le=2**63 - 1, description="seed of the random numbers; each image and sample has its own")
]


def generator(seed: int, *which: int | str) -> np.random.Generator:
    """The generator of one stream: `which` names it, usually (image id, number of the sample).

    Philox 4×64 (Salmon et al. 2011) under a key hashed from the seed and the name.
    """
    key = hashlib.blake2b(repr((seed, *which)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
