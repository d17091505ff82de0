from __future__ import annotations

import numpy as np

from scaling4d.data.black_bars import Pictures, joint_box, picture_boxes


def grey_box(frames: int, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    video = np.full((frames, 40, 60, 3), 5, dtype=np.uint8)
    video[:, top:bottom, left:right] = 90
    return video


def test_bars_of_any_side_lie_outside_the_box() -> None:
    for box in ((0, 40, 20, 40), (8, 32, 0, 60), (0, 40, 0, 30), (5, 40, 10, 50)):
        assert set(picture_boxes(list(grey_box(40, *box)))) == {box}


def test_blank_frames_and_a_lamp_in_the_dark_are_not_cropped() -> None:
    for video in (grey_box(3, 0, 0, 0, 0), grey_box(3, 18, 22, 30, 34)):
        assert set(picture_boxes(list(video))) == {(0, 40, 0, 60)}


def test_a_fade_keeps_the_box_of_the_picture_near_it() -> None:
    video = grey_box(30, 0, 40, 20, 40)
    video[:10] = 5
    assert set(picture_boxes(list(video))) == {(0, 40, 20, 40)}


def test_scenes_with_and_without_bars_have_their_own_boxes() -> None:
    video = np.concatenate([grey_box(40, 0, 40, 20, 40), grey_box(40, 0, 40, 0, 60)])
    boxes = picture_boxes(list(video))
    assert boxes[0] == (0, 40, 20, 40)
    assert boxes[-1] == (0, 40, 0, 60)
    assert joint_box(boxes[0], boxes[-1]) == (0, 40, 0, 60)


def test_pictures_are_cut_to_the_box_around_all_that_are_compared() -> None:
    narrow, wide = grey_box(40, 0, 40, 20, 40), grey_box(40, 0, 40, 0, 60)
    pictures = Pictures(np.concatenate([narrow, wide]), 30)
    assert len(pictures) == 80
    assert all((image == 90).all() for image in pictures.at(0, 5))
    first, last = pictures.at(0, 79)
    assert first.shape == last.shape == (30, 30, 3)
    assert (last == 90).all()
    assert (first[:, :10] == 5).all()
    assert (first[:, 10:20] == 90).all()
