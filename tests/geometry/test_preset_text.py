"""Amounts as they are typed: pivot depths, whole numbers, flags, and what stands twice."""

from __future__ import annotations

import pytest

from scaling4d.geometry.preset_text import parse_amounts
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory


def test_lengths_alone_are_measured_in_pivot_depths() -> None:
    ease, amounts = parse_amounts("orbit", "yaw=10,forward=0.5p,ease=in", 3.0)
    assert (ease, amounts) == ("in", {"yaw": 10.0, "forward": 1.5})


@pytest.mark.parametrize(
    "text", ["orbit:yaw=10p", "zoom:factor=0.5p", "random:seed=3p", "random:distance=0.2p"]
)
def test_what_is_no_length_is_not_measured_in_pivot_depths(text: str) -> None:
    with pytest.raises(ValueError, match=r"p measures metres in pivot depths, .* leave the p out"):
        parse_trajectory(text, frames=3, pivot_depth=3.0)


def test_large_seeds_are_read_to_the_last_digit() -> None:
    assert parse_amounts("random", "seed=9007199254740993", None)[1]["seed"] == 2**53 + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("random:seed=1.7", "random:seed must be a whole number, got 1.7"),
        ("random:waypoints=2.9", "random:waypoints must be a whole number"),
        ("truck:aim=0.3", r"truck:aim must be 0 \(no\) or 1 \(yes\), got 0.3"),
        ("orbit:yaw=1,yaw=30", "gives yaw twice"),
        ("orbit:ease=in,ease=out", "gives ease twice"),
        (f"orbit:yaw={10**400}", "must be a finite number"),
        (f"dolly:distance={10**400}p", "must be a finite number"),
        ("bullet_time:frame=1e300", "must be a source frame number"),
        (f"random:seed={2**64}", "seed must lie in"),
    ],
)
def test_amounts_of_the_wrong_kind_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_trajectory(text, frames=3, pivot_depth=3.0)


def test_amounts_given_in_python_are_checked_alike() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Trajectory.preset("random", 3, pivot_depth=3.0, seed=1.7)


@pytest.mark.parametrize("name", ["orbit", "bullet_time"])
def test_a_circle_does_not_pass_through_its_pivot(name: str) -> None:
    for forward in ("5", "3", "1p"):
        with pytest.raises(ValueError, match=r"pivot, 3\.0 m away, .*: move less far"):
            parse_trajectory(f"{name}:yaw=20,forward={forward}", frames=3, pivot_depth=3.0)
    assert len(parse_trajectory(f"{name}:yaw=20,forward=2.9", frames=3, pivot_depth=3.0)) == 3
    # Without a turn there is nothing to circle around: it is a dolly.
    straight = parse_trajectory(f"{name}:yaw=0,forward=5", frames=3, pivot_depth=3.0)
    assert straight.source_from_target[-1, 2, 3] == 5.0
