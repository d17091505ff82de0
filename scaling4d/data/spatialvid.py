"""The SpatialVID data set (§4.1) in its own folder layout, complete or partly downloaded.

    ROOT/data/train/SpatialVID_HQ_metadata.csv          one row per clip
    ROOT/SpatialVid/HQ/videos/group_0001/ID.mp4
    ROOT/SpatialVid/HQ/annotations/group_0001/ID/{poses.npy, intrinsics.npy, caption.json, ...}

Its poses are world-to-camera with OpenCV axes (measured by epipolar residuals, although its page
does not say so), one per key frame, and its intrinsics are shares of the image size.
"""

from __future__ import annotations

import csv
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from scaling4d.data.captions import with_captions
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.video_clips import VideoClip, collect_clips
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import read_json
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras

log = logging.getLogger(__name__)

_CAMERA_WORDS = re.compile(
    r"\b(camera|shot|footage|aerial view|viewpoint|viewer|perspective|angle|zoom\w*"
    r"|pan(s|ned|ning)?|tilt\w*|dolly|tracking|drone|lens|point of view)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SpatialVidClip:
    """One row of the metadata table whose video is on the disk."""

    id: str
    video: Path
    annotations: Path
    frames: int
    fps: float
    height: int
    width: int

    def prompt(self) -> str:
        """Return the scene's caption without sentences about the camera: motion comes from C^r.

        Raises:
            ValueError: if the file of the caption cannot be read, naming it.
        """
        path = self.annotations / "caption.json"
        if not path.is_file():
            return ""
        caption = read_json(path, "a caption of SpatialVID")
        text = f"{caption.get('SceneSummary', '')} {caption.get('SceneDescription', '')}"
        return drop_camera_sentences(text)

    def cameras(self) -> CameraPath:
        """Read the annotated cameras, one per key frame (``frame_index``).

        Their unit of length is the data set's own.

        Raises:
            DataError: if the annotation files are missing or of another shape.
        """
        given = Given(self.height, self.width, video_frames=self.frames)
        try:
            return read_cameras(self.annotations, "spatialvid", given)
        except ValueError as error:
            raise DataError(str(error)) from None


def is_spatialvid(folder: str | Path) -> bool:
    """Say whether a folder has the data set's layout."""
    return (Path(folder) / "SpatialVid").is_dir() and bool(_tables(Path(folder)))


def list_spatialvid(folder: str | Path) -> list[SpatialVidClip]:
    """Return the clips whose videos are on the disk; the others are counted in a log line.

    Raises:
        DataError: if the layout or the table is not the data set's, or no video is there.
    """
    root = Path(folder)
    tables = _tables(root)
    if not tables:
        raise DataError(f"{root} holds no data/train/*metadata*.csv of SpatialVID")
    clips: list[SpatialVidClip] = []
    named = 0
    for table in tables:
        part = root / "SpatialVid" / ("HQ" if "HQ" in table.name else "raw")
        with table.open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                named += 1
                clip = _clip(part, row, table)
                if clip.video.is_file():
                    clips.append(clip)
    if not clips:
        raise DataError(f"none of the {named} videos that {tables[0]} names are below {root}")
    if len(clips) < named:
        log.warning(
            "%s: %d of %d clips are on the disk, the others are skipped", root, len(clips), named
        )
    return clips


def read_spatialvid(folder: str | Path, size: ClipSize, *, skip_broken: bool) -> list[VideoClip]:
    """Return the data set's videos as clips with prompts.

    Raises:
        DataError: as `list_spatialvid`, or for an empty or too short video or a broken caption
            (unless skipped).
    """
    rows = {clip.video: clip for clip in list_spatialvid(folder)}

    def probe(path: Path) -> tuple[int, float]:
        # Opening millions of files would take hours; asking for their size does not.
        if path.stat().st_size == 0:
            raise DataError(f"{path} is an empty file")
        return rows[path].frames, rows[path].fps

    return collect_clips(
        with_captions(rows, lambda path: rows[path].prompt(), skip_broken=skip_broken),
        size,
        skip_broken=skip_broken,
        probe=probe,
    )


def drop_camera_sentences(text: str) -> str:
    """Remove the sentences that speak of the camera; the rest stays word for word."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return " ".join(part for part in sentences if part and not _CAMERA_WORDS.search(part))


def _tables(root: Path) -> list[Path]:
    return sorted((root / "data" / "train").glob("*metadata*.csv"))


def _clip(part: Path, row: dict[str, str], table: Path) -> SpatialVidClip:
    try:
        width, height = (int(side) for side in row["resolution"].split("x"))
        return SpatialVidClip(
            id=row["id"],
            video=part / row["video path"],
            annotations=part / row["annotation path"],
            frames=int(row["num frames"]),
            fps=float(row["fps"]),
            height=height,
            width=width,
        )
    except (KeyError, ValueError) as error:
        raise DataError(f"{table}: a row is not SpatialVID's ({error!r})") from None
