"""PSNR against its definition."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from scaling4d.evaluation.image_quality import psnr


def make_videos() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    videos = generator.integers(0, 256, (2, 3, 8, 9, 3), dtype=np.uint8)
    return videos[0], videos[1]


def test_it_agrees_with_opencv_over_the_whole_video() -> None:
    video, truth = make_videos()
    assert psnr(video, truth) == pytest.approx(cv2.PSNR(video, truth), abs=1e-9)


def test_a_constant_difference_has_the_closed_form() -> None:
    truth = np.full((1, 4, 4, 3), 100, np.uint8)
    assert psnr(truth + 5, truth) == pytest.approx(20 * math.log10(255 / 5))


def test_only_the_marked_pixels_count() -> None:
    video, truth = make_videos()
    where = np.zeros(video.shape[:3], bool)
    where[1, 2:4, 5] = True
    expected = cv2.PSNR(video[1, 2:4, 5], truth[1, 2:4, 5])
    assert psnr(video, truth, where) == pytest.approx(expected)
    assert math.isnan(psnr(video, truth, np.zeros_like(where)))
    assert psnr(video, video) == math.inf


def test_different_shapes_are_refused() -> None:
    video, truth = make_videos()
    with pytest.raises(ValueError, match="share a shape"):
        psnr(video, truth[:, :4])
