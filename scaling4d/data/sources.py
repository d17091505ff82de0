"""From a folder to a source of pairs: what a folder holds decides how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from scaling4d.data.clip_pairs import ClipPairConfig
from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.pairs import ClipSize, DataError, PairSource
from scaling4d.data.real_pairs import FlowConfig, RealPairs
from scaling4d.data.spatialvid import is_spatialvid, read_spatialvid
from scaling4d.data.synthetic_pairs import Pairing, SyntheticPairs
from scaling4d.data.video_folder import read_video_folder


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What clips are brought to, and how folders become pairs."""

    frames: int = 49
    """Frames per clip; a backbone with temporal compression r takes r k + 1. The paper's: 49."""
    height: int = 480
    """Pixels; the paper's: 480."""
    width: int = 480
    """Pixels; the paper's: 480."""
    fps: float = 16.0
    """Frames per second that real videos are resampled to; slower ones keep their own rate, and so
    do scene files."""
    sources: dict[str, str] = field(default_factory=dict)
    """Folder of each named source; ``--data.NAME DIR`` sets one."""
    pairs: ClipPairConfig = field(default_factory=ClipPairConfig)
    """How pairs are drawn from real videos."""
    flow: FlowConfig = field(default_factory=FlowConfig)
    """The optical flow of real pairs."""
    skip_broken: bool = False
    """Leave out unreadable and too short files with a warning instead of stopping, at the start or
    when a clip turns out to be broken."""

    def __post_init__(self) -> None:
        self.clip  # noqa: B018 -- refuses impossible sizes now and not at the first clip

    @property
    def clip(self) -> ClipSize:
        """The size of every clip."""
        return ClipSize(frames=self.frames, height=self.height, width=self.width, fps=self.fps)


def open_source(
    folder: str | Path,
    config: DataConfig,
    *,
    cache: DiskCache,
    seed: int,
    pairing: Pairing = "two_views",
    needs_cameras: bool = False,
) -> PairSource:
    """Open a folder of scene files (*.h5), SpatialVID in its own layout, or any folder of videos.

    Args:
        folder: what a source of the mix is called with.
        config: clip size, and how pairs are made.
        cache: for decoded frames, shots and flows.
        seed: of everything random.
        pairing: what is moved where; all but the first need depth and cameras.
        needs_cameras: pairs must have ``target_from_source``.

    Raises:
        DataError: if the folder is missing, holds none of these, or holds broken files; or if it
            holds videos where cameras are needed.
    """
    folder, size = Path(folder), config.clip
    if not folder.is_dir():
        raise DataError(f"no folder of training data at {folder}")
    scenes = any(path for path in folder.rglob("*.h5") if not path.name.startswith("."))
    if scenes and not is_spatialvid(folder):
        return SyntheticPairs(folder, size, pairing=pairing, skip_broken=config.skip_broken)
    if needs_cameras or pairing != "two_views":
        raise DataError(
            f"{folder} holds videos, and this control needs depth and cameras for training: "
            "draw from scene files alone (--mix syn:1), or train model.control=correspondence"
        )
    if is_spatialvid(folder):
        clips = read_spatialvid(folder, size, skip_broken=config.skip_broken)
    else:
        clips = read_video_folder(folder, size, skip_broken=config.skip_broken)
    return RealPairs(
        clips,
        size,
        config=config.pairs,
        flow=config.flow,
        cache=cache,
        seed=seed,
        skip_broken=config.skip_broken,
    )
