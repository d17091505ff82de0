"""RealEstate10K's first line: the address of a video, or already a camera."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras

SIZE = Given(height=480, width=640)
CAMERAS = [f"{t}000 0.9 0.9 0.5 0.5 0 0 1 0 0 {t} 0 1 0 0 0 0 1 0" for t in range(1, 4)]


def read(path: Path, lines: list[str]) -> int:
    """The number of cameras in a file of those lines."""
    path.write_text("\n".join(lines) + "\n")
    return len(read_cameras(path, "re10k", SIZE))


@pytest.mark.parametrize("comma", [" ", ",", ", "])
@pytest.mark.parametrize(
    "head", [[], ["https://www.youtube.com/watch?v=a"], ["cameras"], ["123456"], ["a b c"]]
)
def test_every_camera_is_read_with_and_without_an_address(
    head: list[str], comma: str, tmp_path: Path
) -> None:
    lines = [line.replace(" ", comma) for line in CAMERAS]
    assert read(tmp_path / "a.txt", [*head, *lines]) == 3


@pytest.mark.parametrize("position", [0, 1])
def test_a_line_that_lost_a_number_is_refused_wherever_it_stands(
    position: int, tmp_path: Path
) -> None:
    lines = list(CAMERAS)
    lines[position] = lines[position].rpartition(" ")[0]
    with pytest.raises(ValueError, match=f"line {position + 1}: .* has 19 numbers a line, found 1"):
        read(tmp_path / "a.txt", lines)


def test_a_first_line_with_a_word_for_its_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"line 1: 'x1000' is not a number"):
        read(tmp_path / "a.txt", [f"x{CAMERAS[0]}", *CAMERAS[1:]])
