"""Any folder of videos as a source of real clips, with optional captions beside the files."""

from __future__ import annotations

from pathlib import Path

from scaling4d.data.captions import with_captions
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.video_clips import VideoClip, collect_clips
from scaling4d.geometry.formats.files import read_text
from scaling4d.storage.video import VideoError, find_videos


def read_video_folder(folder: str | Path, size: ClipSize, *, skip_broken: bool) -> list[VideoClip]:
    """Return clips of every video below a folder; ``NAME.txt`` beside ``NAME.mp4`` is its prompt.

    Raises:
        DataError: if the folder is missing or empty, or a video is broken or too short or its
            caption broken (unless skipped).
    """
    try:
        videos = find_videos(folder)
    except VideoError as error:
        raise DataError(str(error)) from None
    captioned = with_captions(videos, _caption, skip_broken=skip_broken)
    return collect_clips(captioned, size, skip_broken=skip_broken)


def _caption(video: Path) -> str:
    text = video.with_suffix(".txt")
    return " ".join(read_text(text, "a caption").split()) if text.is_file() else ""
