"""Devices by name, tried once, so that a wrong one is refused with those that are there."""

from __future__ import annotations

import torch


def usable_device(device: str | torch.device) -> torch.device:
    """Return the device if tensors can be made on it.

    Raises:
        ValueError: naming the devices of this machine.
    """
    try:
        place = torch.device(device)
        torch.empty(0, device=place)  # the driver answers here at the latest
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise ValueError(
            f"cannot run on the device {str(device)!r} ({reason}): this machine has "
            f"{', '.join(_present())}"
        ) from error
    return place


def _present() -> list[str]:
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
