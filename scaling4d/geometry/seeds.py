"""Named child streams of one run seed (DESIGN section 4): adding a stream changes no other."""

from __future__ import annotations

import hashlib
import operator
from numbers import Integral

import numpy as np

_SEED_LIMIT = 1 << 64


def child_seed(seed: int, *names: str | int) -> int:
    """Derive the 64-bit seed of a named stream.

    Args:
        seed: parent seed, 0 <= seed < 2**64.
        names: path of the stream, for example ``("scene_0003", "trajectory")``. The integer 3 and
            the string "3" name different streams.

    Returns:
        An integer in [0, 2**64) that depends on the parent seed and the whole path only.

    Raises:
        ValueError: if ``seed`` lies outside [0, 2**64).
        TypeError: if it is no integer.
    """
    return _seed_of(_stream(seed, names))


def child_seeds(seed: int, *names: str | int, count: int) -> list[int]:
    """Derive ``child_seed(seed, *names, i)`` for i in 0..count - 1; the common path costs once."""
    stream = _stream(seed, names)
    seeds = []
    for index in range(count):
        own = stream.copy()
        _add(own, index)
        seeds.append(_seed_of(own))
    return seeds


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """Return the numpy generator of a named stream (see `child_seed`)."""
    return np.random.Generator(np.random.PCG64(child_seed(seed, *names)))


def _stream(seed: int, names: tuple[str | int, ...]) -> hashlib.blake2b:
    seed = operator.index(seed)  # of numpy and torch too, which would else count as strings
    if not 0 <= seed < _SEED_LIMIT:
        raise ValueError(f"a seed must lie in [0, 2**64), got {seed}")
    stream = hashlib.blake2b(digest_size=8)
    for part in (seed, *names):
        _add(stream, part)
    return stream


def _add(stream: hashlib.blake2b, part: str | int) -> None:
    text = f"{'i' if isinstance(part, Integral) else 's'}{part}".encode()
    # The length keeps ("ab", "c") from ("a", "bc").
    stream.update(len(text).to_bytes(4, "little") + text)


def _seed_of(stream: hashlib.blake2b) -> int:
    return int.from_bytes(stream.digest(), "little")
