"""A process group of one, so that sharding runs inside a test's own process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@contextlib.contextmanager
def one_process_group(folder: Path) -> Iterator[None]:
    """Join a gloo group alone; ``folder`` holds its meeting point."""
    if torch.distributed.is_initialized():
        pytest.skip("a process group exists already")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    meeting = f"file://{folder}/group"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
