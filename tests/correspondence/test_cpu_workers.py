"""The CPU kernels where they will run: in data loader workers, in a read-only installation."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader, Dataset

from scaling4d.correspondence import cpu_kernels
from scaling4d.correspondence.warp import warp_from_flow


class Warps(Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, item: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(item)
        source = torch.rand(3, 3, 32, 40, generator=generator)
        flow = 4 * torch.randn(3, 2, 32, 40, generator=generator)
        return warp_from_flow(source, flow, seed=item).warped


def test_forked_loader_workers_warp_like_their_parent():
    here = [Warps()[item] for item in range(4)]  # the parent has used its threads before the fork
    loaded = DataLoader(Warps(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    for ours, theirs in zip(here, loaded, strict=True):
        assert torch.equal(ours, theirs)


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch):
    real = cpu_kernels.njit

    def no_folder(**options: object):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available for file")
        return real(**options)

    monkeypatch.setattr(cpu_kernels, "njit", no_folder)

    def successor(number):
        return number + 1

    assert cpu_kernels._compiled(successor)(41) == 42
