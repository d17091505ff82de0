"""Pictures of assets: a contact sheet over the variants, and a turntable."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pxr import Usd

from .entry import Entry
from .extents import stage_extents
from .preview import PreviewRenderer
from .read_variants import apply_in_session, open_variant
from .variants import complete_selection, count_variants, enumerate_variants

Image = NDArray[np.uint8]

_FOCAL = 2.2  # focal length in image widths: a mild telephoto, as furniture is photographed
_VIEW = (0.55, -1.0, 0.42)  # from which side: the front, a little right and above
_LABEL_HEIGHT = 18


def framing_camera(
    low: Sequence[float],
    high: Sequence[float],
    size: int,
    direction: Sequence[float] = _VIEW,
    distance: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intrinsics (3, 3) and world_from_camera (4, 4) that frame a box in a square image.

    Args:
        low, high: corners of the box in metres, z up.
        size: image height and width in pixels.
        direction: from the box's centre towards the camera; not vertical.
        distance: metres from the centre; by default the box just fits.
    """
    low_, high_ = np.asarray(low, float), np.asarray(high, float)
    towards = np.asarray(direction, float) / np.linalg.norm(direction)
    intrinsics = np.array([[_FOCAL * size, 0, size / 2], [0, _FOCAL * size, size / 2], [0, 0, 1.0]])
    forward = -towards
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    if distance is None:
        picks = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
        corners = picks * (high_ - low_) @ world_from_camera[:3, :3]
        # |x| f / (distance + z) <= 0.475 image widths for every corner leaves a small border.
        reach = np.abs(corners[:, :2]).max(axis=1) * _FOCAL / 0.475
        distance = max(float((reach - corners[:, 2]).max()), 1e-6)
    world_from_camera[:3, 3] = (low_ + high_) / 2 + distance * towards
    return intrinsics, world_from_camera


def render_asset(
    stage: Usd.Stage,
    size: int = 320,
    *,
    direction: Sequence[float] = _VIEW,
    time_code: float | None = None,
    samples: int = 4,
) -> Image:
    """Return a square picture of a stage's default prim, (size, size, 3) uint8 RGB."""
    low, high = stage_extents(stage)
    intrinsics, pose = framing_camera(low, high, size, direction)
    renderer = PreviewRenderer(stage, root=stage.GetDefaultPrim())
    frame = renderer.render(
        intrinsics, pose, size, size, time_code, samples=samples, ambient_occlusion=12
    )
    return frame.rgb


def variant_sheet(entry: Entry, *, size: int = 256, most: int = 48, columns: int = 6) -> Image:
    """Return labelled pictures of an asset's variant combinations.

    Up to ``most`` combinations all are drawn; above, each variant of each set once, the others at
    their defaults.
    """
    if count_variants(entry) <= most:
        selections = list(enumerate_variants(entry))
    else:
        selections = one_at_a_time(entry)[:most]
    pictures = []
    stage = open_variant(entry.file, selections[0])
    for selection in selections:
        apply_in_session(stage, selection)
        picture = render_asset(stage, size, time_code=_show_time(entry, selection))
        label = " ".join(selection.values()) or entry.id
        pictures.append(_labelled(picture, label))
    return tile(pictures, columns)


def library_sheet(entries: Sequence[Entry], *, size: int = 192, columns: int = 8) -> Image:
    """Return one labelled picture per entry, each with its first variants."""
    pictures = []
    for entry in entries:
        selection = complete_selection(entry, {})
        stage = open_variant(entry.file, selection)
        picture = render_asset(stage, size, time_code=_show_time(entry, selection))
        pictures.append(_labelled(picture, entry.id))
    return tile(pictures, columns)


def one_at_a_time(entry: Entry) -> list[dict[str, str]]:
    """Return the default selection and every single deviation from it, each once."""
    default = complete_selection(entry, {})
    selections = [default]
    for name, values in entry.variant_sets.items():
        for value in values:
            if default.get(name) == value:
                continue
            outer = {} if name in default else _reveal(entry, name, value)
            try:
                selection = complete_selection(entry, {**outer, name: value})
            except ValueError:  # retired, or nested below another choice
                continue
            if selection not in selections:
                selections.append(selection)
    return selections


def _reveal(entry: Entry, name: str, value: str) -> dict[str, str]:
    """Return the first combination in which a nested variant exists."""
    return next((each for each in enumerate_variants(entry) if each.get(name) == value), {})


def turntable(
    entry: Entry, selection: Mapping[str, str], *, frames: int = 24, size: int = 256
) -> list[Image]:
    """Return pictures from ``frames`` directions around the vertical axis, front first.

    A character also moves: the frames run through its motion.
    """
    full = complete_selection(entry, selection)
    stage = open_variant(entry.file, full)
    low, high = stage_extents(stage)
    radius = float(np.linalg.norm(np.subtract(high, low))) / 2
    distance = radius / np.sin(np.arctan(0.475 / _FOCAL))  # one distance, or the asset would pump
    renderer = PreviewRenderer(stage, root=stage.GetDefaultPrim())
    motion = entry.character.motions.get(full.get("motion", "")) if entry.character else None
    pictures = []
    for index in range(frames):
        angle = 2 * np.pi * index / frames
        direction = (np.sin(angle), -np.cos(angle), 0.35)
        intrinsics, pose = framing_camera(low, high, size, direction, distance)
        time = motion.start + (motion.end - motion.start) * index / frames if motion else None
        frame = renderer.render(intrinsics, pose, size, size, time, samples=4, ambient_occlusion=12)
        pictures.append(frame.rgb)
    return pictures


def tile(pictures: Sequence[Image], columns: int = 6) -> Image:
    """Lay pictures of one size out row by row on white."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    return sheet


def write_image(path: Path, image: Image) -> None:
    """Write an RGB image as PNG, atomically."""
    from .catalog import write_atomically
    from .look_layer import encode_png

    write_atomically(path, encode_png(image))


def write_movie(path: Path, pictures: Sequence[Image], fps: float = 12.0) -> None:
    """Write an mp4 of square pictures, atomically.

    Raises:
        ValueError: when this OpenCV cannot write mp4 files.
    """
    height, width = pictures[0].shape[:2]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-writing.mp4")
    writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    if not writer.isOpened():
        raise ValueError(f"OpenCV cannot write {path}; give a name ending in .png for a sheet")
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
    temporary.replace(path)


def _show_time(entry: Entry, selection: Mapping[str, str]) -> float | None:
    """Show a motion a third of the way in, where it differs most from a rest pose."""
    motion = entry.character.motions.get(selection.get("motion", "")) if entry.character else None
    return motion.start + (motion.end - motion.start) / 3 if motion else None


def _labelled(picture: Image, text: str) -> Image:
    strip = np.full((_LABEL_HEIGHT, picture.shape[1], 3), 255, np.uint8)
    scale = min(0.42, 0.42 * picture.shape[1] / (8.6 * max(len(text), 1)))
    cv2.putText(strip, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([picture, strip])
