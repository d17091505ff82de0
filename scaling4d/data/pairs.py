"""One training sample, and what every source of samples offers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from scaling4d.data.mixture import Draw


class DataError(ValueError):
    """Training data that is missing, broken, too small or rejected throughout."""


@dataclass(frozen=True, kw_only=True)
class ClipSize:
    """What every clip is brought to; the paper's size is 49 x 480 x 480 (§4.1)."""

    frames: int = 49
    """Frames per clip; a backbone with temporal compression r takes r k + 1."""
    height: int = 480
    """Pixels."""
    width: int = 480
    """Pixels."""
    fps: float = 16.0
    """Frames per second that real videos are resampled to; scene files keep their own clock."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.height < 8 or self.width < 8 or not self.fps > 0:
            raise ValueError(
                f"a clip needs frames >= 1, height and width >= 8 and fps > 0, got {self}"
            )


@dataclass
class ClipPair:
    """A source clip, the target to be generated, and the control between them (Eq. 5)."""

    source: Float[Tensor, "frames 3 height width"]
    """I^s in [-1, 1]."""
    target: Float[Tensor, "frames 3 height width"]
    """I^t in [-1, 1]."""
    control: Float[Tensor, "frames 9 height width"]
    """(I^s, C^r, I^r, M^r), see `scaling4d.correspondence.control`."""
    prompt: str
    """Caption without camera words; may be empty."""
    origin: str
    """Where it comes from, for people: file, mode, frames or cameras."""
    target_from_source: Float[Tensor, "frames 4 4"] | None = None
    """Where the target camera stands, OpenCV axes, float64; None where no one knows it."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures and why the pair was accepted, with the candidates rejected before it."""


@runtime_checkable
class PairSource(Protocol):
    """A finite set of clips or scenes from which pairs are made on demand."""

    def __len__(self) -> int:
        """Number of items a draw can name."""

    def item_names(self) -> list[str]:
        """Say what each item is, the same wherever the folder of the source lies."""

    def pair(self, draw: Draw) -> ClipPair:
        """Make the pair of a draw: the same draw and settings always give the same pair."""


def names_below(paths: Sequence[Path]) -> list[str]:
    """Name files, at least one, by their places below the folder that holds them all."""
    folder = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(folder).as_posix() for path in paths]


def to_signed(
    frames: UInt8[np.ndarray, "frames height width 3"],
) -> Float[Tensor, "frames 3 height width"]:
    """Turn uint8 RGB frames (0..255) into the models' layout and range [-1, 1], contiguous."""
    video = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    return video.to(torch.float32).div_(127.5).sub_(1.0)


def collate(pairs: list[ClipPair]) -> dict[str, Any]:
    """Stack pairs: ``source``, ``target``, ``control`` tensors; lists of prompts and reports.

    ``target_from_source`` is a tensor where all pairs have poses, else None.
    """
    poses = [p.target_from_source for p in pairs if p.target_from_source is not None]
    return {
        "source": torch.stack([pair.source for pair in pairs]),
        "target": torch.stack([pair.target for pair in pairs]),
        "control": torch.stack([pair.control for pair in pairs]),
        "target_from_source": torch.stack(poses) if len(poses) == len(pairs) else None,
        "prompts": [pair.prompt for pair in pairs],
        "origins": [pair.origin for pair in pairs],
        "reports": [dict(pair.report) for pair in pairs],
    }
