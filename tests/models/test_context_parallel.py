"""Context parallelism over two gloo processes on the CPU: equal to one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling4d.models.errors import BackboneMismatchError
from tests.models.conftest import Case

REPOSITORY = Path(__file__).resolve().parents[2]


def run_two(store: Path, *arguments: str) -> None:
    """Start both processes and wait until they agree."""
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.models.context_parallel_process"]
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(store), *arguments],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs[0][-3000:]


def test_blocks_that_share_tokens_equal_the_whole_block(tmp_path: Path) -> None:
    """Every scope; results, gradients of inputs, and gradients of weights added up."""
    run_two(tmp_path / "store", "block")


@pytest.mark.full
def test_network_that_shares_tokens_equals_the_whole_one(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    """Every scope, with the first block wrapped and bare; a cut goes through a latent frame."""
    families = ("wan", "skyreels_v2", "ltx", "ltx2")
    folders = [f"{name}={case_of(name).config.backbone.path}" for name in families]
    run_two(tmp_path / "store", "model", *folders)


@pytest.mark.parametrize("name", ["hunyuan_video", "hunyuan_video15", "cogvideox_2b", "mini"])
def test_backbone_that_cannot_share_tokens_is_refused(
    name: str, case_of: Callable[[str], Case]
) -> None:
    with pytest.raises(BackboneMismatchError, match="use wan, skyreels_v2, ltx or ltx2, or spread"):
        case_of(name).model().enable_context_parallel(ulysses=2)


def test_processes_that_are_missing_or_do_not_fit_are_refused(
    case_of: Callable[[str], Case],
) -> None:
    model = case_of("wan").model()
    with pytest.raises(ValueError, match="must divide the backbone's 2 attention heads"):
        model.enable_context_parallel(ulysses=4)
    for ulysses in (0, 1, -2):
        with pytest.raises(ValueError, match=f"and one of them more, got {ulysses} and 1"):
            model.enable_context_parallel(ulysses=ulysses)
    with pytest.raises(ValueError, match="torchrun --nproc-per-node 2"):
        model.enable_context_parallel(ulysses=2)


def test_tokens_that_do_not_divide_are_refused(case_of: Callable[[str], Case]) -> None:
    class Three:
        def size(self) -> int:
            return 3

    context = case_of("mini").model().context
    context.group = Three()
    with pytest.raises(ValueError, match="10 tokens do not divide among 3 processes"):
        context.share(torch.zeros(1, 10, 4))
