"""From a folder to a source of pairs: what a folder holds decides how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from scaling4d.data.clip_pairs import ClipPairConfig
from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.pairs import ClipSize, DataError, PairSource
from scaling4d.data.real_pairs import FlowConfig, RealPairs
from scaling4d.data.spatialvid import is_spatialvid, read_spatialvid
from scaling4d.data.synthetic_pairs import SyntheticPairs
from scaling4d.data.video_folder import read_video_folder


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How folders become pairs."""

    sources: dict[str, str] = field(default_factory=dict)
    """Folder of each named source; ``--data.NAME DIR`` sets one."""
    pairs: ClipPairConfig = field(default_factory=ClipPairConfig)
    """How pairs are drawn from real videos."""
    flow: FlowConfig = field(default_factory=FlowConfig)
    """The optical flow of real pairs."""
    skip_broken: bool = False
    """Leave out unreadable and too short files with a warning instead of stopping."""


def open_source(
    folder: str | Path, size: ClipSize, config: DataConfig, *, cache: DiskCache, seed: int
) -> PairSource:
    """Open a folder of scene files (*.h5), SpatialVID in its own layout, or any folder of videos.

    Raises:
        DataError: if the folder is missing, holds none of these, or holds broken files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"no folder of training data at {folder}")
    if is_spatialvid(folder):
        clips = read_spatialvid(folder, size, skip_broken=config.skip_broken)
    elif any(path for path in folder.rglob("*.h5") if not path.name.startswith(".")):
        return SyntheticPairs(folder, size, skip_broken=config.skip_broken)
    else:
        clips = read_video_folder(folder, size, skip_broken=config.skip_broken)
    return RealPairs(clips, size, config=config.pairs, flow=config.flow, cache=cache, seed=seed)
