"""Seeds: named streams are independent of one another and the same for ever."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from scaling4d.geometry.seeds import child_seed, child_seeds, rng


def test_a_stream_depends_on_its_whole_path_and_on_nothing_else() -> None:
    assert child_seed(1, "a", "b") == child_seed(1, "a", "b")
    paths = [(1, "ab", "c"), (1, "a", "bc"), (1, "abc"), (2, "abc"), (1, 3), (1, "3"), (1,)]
    assert len({child_seed(*path) for path in paths}) == len(paths)


def test_seeds_are_pinned() -> None:
    """A data set minted today must be minted again next year: these numbers may not change."""
    assert child_seed(0, "scene", 0) == 4503656451767873795
    assert rng(0, "scene", 0).integers(1 << 30) == 980156679


def test_many_seeds_of_one_path_are_those_of_each() -> None:
    names = ("splat", 7, "ü")
    assert child_seeds(5, *names, count=3) == [child_seed(5, *names, i) for i in range(3)]
    assert child_seeds(5, count=0) == []


def test_integers_of_numpy_and_torch_are_integers() -> None:
    unchecked = inspect.unwrap(child_seed)
    assert unchecked(np.int64(5), "a", np.int32(3)) == child_seed(5, "a", 3)
    assert unchecked(torch.tensor(5), "a") == child_seed(5, "a")
    with pytest.raises(TypeError):
        unchecked(1.5, "a")


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_outside_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=r"\[0, 2\*\*64\)"):
        child_seed(seed, "x")
