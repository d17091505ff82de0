from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from scaling4d.data.clip_pairs import (
    MODES,
    Candidate,
    ClipPairConfig,
    Measure,
    Mode,
    PairReport,
    draw_candidate,
    judge,
    measure_flow,
)
from scaling4d.geometry.seeds import rng

FRAMES = 9


def only(mode: Mode, **changes: float) -> ClipPairConfig:
    return ClipPairConfig(**{name: float(name == mode) for name in MODES}, **changes)  # type: ignore[arg-type]


def draw(mode: Mode, shots: list[tuple[int, int]], seed: int, **changes: float) -> Candidate | str:
    return draw_candidate(shots, FRAMES, only(mode, **changes), np.random.default_rng(seed))


@pytest.mark.parametrize("mode", MODES)
def test_candidates_stay_inside_one_shot(mode: Mode) -> None:
    shots = [(0, 12), (12, 40), (45, 80)]
    found = [draw(mode, shots, seed) for seed in range(200)]
    candidates = [c for c in found if isinstance(c, Candidate)]
    assert len(candidates) > 50
    for c in candidates:
        frames = np.concatenate([c.source, c.target])
        assert any(a <= frames.min() and frames.max() < b for a, b in shots)
        assert len(c.source) == len(c.target) == FRAMES


def test_constant_mode_shifts_every_frame_alike_both_ways() -> None:
    offsets = set()
    for seed in range(300):
        c = draw("constant", [(0, 40)], seed, min_offset=2, max_offset=5)
        assert isinstance(c, Candidate)
        assert len(set(c.target - c.source)) == 1
        offsets.add(int(c.target[0] - c.source[0]))
    assert offsets == {-5, -4, -3, -2, 2, 3, 4, 5}


def test_growing_mode_starts_together_and_moves_apart_evenly() -> None:
    ends = set()
    for seed in range(300):
        c = draw("growing", [(0, 60)], seed, min_offset=1, max_offset=12)
        if isinstance(c, str):
            continue
        offset = c.target - c.source
        assert offset[0] == 0
        assert (np.abs(np.diff(np.abs(offset))) <= np.ceil(abs(offset[-1]) / (FRAMES - 1))).all()
        assert (np.diff(np.abs(offset)) >= 0).all()
        ends.add(int(offset[-1]))
    assert ends == set(range(-12, 13)) - {0}


def test_reversed_still_and_identity_are_what_they_say() -> None:
    for seed in range(20):
        back, still, same = (draw(m, [(3, 40)], seed) for m in ("reversed", "still", "identity"))
        assert isinstance(back, Candidate)
        assert isinstance(still, Candidate)
        assert isinstance(same, Candidate)
        np.testing.assert_array_equal(back.target, back.source[::-1])
        assert len(set(still.source)) == 1
        assert still.target[0] == still.source[0]
        assert set(np.abs(np.diff(still.target))) == {1}
        np.testing.assert_array_equal(same.target, same.source)


def test_modes_come_by_weight() -> None:
    config = ClipPairConfig(
        constant=1.0, growing=2.0, reversed=1.0, still=0.0, identity=4.0, max_offset=4
    )
    drawn = [
        draw_candidate([(0, 200)], FRAMES, config, np.random.default_rng(seed))
        for seed in range(4000)
    ]
    counts = {m: sum(isinstance(c, Candidate) and c.mode == m for c in drawn) for m in MODES}
    expected = {"constant": 500, "growing": 1000, "reversed": 500, "still": 0, "identity": 2000}
    for mode, count in expected.items():
        assert abs(counts[mode] - count) <= 4 * np.sqrt(count), mode  # type: ignore[index]


def test_candidates_of_one_generator_differ_in_shot_and_offset_but_not_in_mode() -> None:
    """Else a video without motion is tried until the draw is identity, whatever its weight."""
    shots = [(0, 30), (30, 70)]
    for seed in range(20):
        generator = rng(seed, "pair")
        drawn = [draw_candidate(shots, FRAMES, ClipPairConfig(), generator) for _ in range(12)]
        candidates = [c for c in drawn if isinstance(c, Candidate)]
        assert len(candidates) == 12
        assert len({c.mode for c in candidates}) == 1
        assert len({c.describe() for c in candidates}) > 6


def test_only_shots_that_can_hold_the_mode_are_drawn() -> None:
    shots = [(30 * i, 30 * i + 29) for i in range(9)] + [(270, 330)]
    for seed in range(100):
        candidate = draw_candidate(shots, 49, ClipPairConfig(), np.random.default_rng(seed))
        assert isinstance(candidate, Candidate)
        assert min(candidate.source.min(), candidate.target.min()) >= 270


def test_modes_that_no_shot_can_hold_leave_their_share_to_the_others() -> None:
    drawn = [
        draw_candidate([(0, FRAMES)], FRAMES, ClipPairConfig(), np.random.default_rng(seed))
        for seed in range(200)
    ]
    assert all(isinstance(c, Candidate) for c in drawn)
    modes = {c.mode for c in drawn if isinstance(c, Candidate)}
    assert modes == set(MODES) - {"constant"}


def test_shot_that_is_too_short_is_refused_with_both_lengths() -> None:
    reason = draw("constant", [(0, FRAMES), (FRAMES, FRAMES + 3)], 0)
    assert isinstance(reason, str)
    assert f"longest shot has {FRAMES} frames, at least {FRAMES + 1} needed" in reason
    assert isinstance(draw("identity", [(0, FRAMES)], 0), Candidate)
    assert isinstance(draw("identity", [(0, FRAMES - 1)], 0), str)


def test_a_clip_without_shots_is_refused_with_the_reason() -> None:
    assert draw("growing", [], 0) == "no shot without a cut or dissolve"


GOOD = Measure(
    mean_displacement=5.0,
    p95_displacement=9.0,
    valid_share=0.8,
    least_valid_share=0.6,
    covered_share=0.9,
    warp_error=2.0,
    contrast=40.0,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean_displacement": 0.01}, "below 0.003"),
        ({"mean_displacement": 60.0}, "above 0.35"),
        ({"valid_share": 0.1}, "valid share"),
        ({"least_valid_share": 0.1}, "least valid share of a frame 0.1000 is below 0.2"),
        ({"covered_share": 0.1}, "covered share"),
    ],
)
def test_each_bound_rejects_with_its_own_reason(change: dict[str, float], words: str) -> None:
    candidate = Candidate("constant", np.arange(3), np.arange(3) + 1)
    kept, reason = judge(candidate, dataclasses.replace(GOOD, **change), 128, ClipPairConfig())
    assert not kept
    assert words in reason


def test_accepted_candidate_names_every_bound_it_keeps() -> None:
    kept, reason = judge(
        Candidate("constant", np.arange(3), np.arange(3) + 1), GOOD, 128, ClipPairConfig()
    )
    assert kept
    assert reason == (
        "mean displacement / width 0.0391 is within 0.003 to 0.35, "
        "valid share 0.8000 is within 0.4 to 1, "
        "least valid share of a frame 0.6000 is within 0.2 to 1, "
        "covered share 0.9000 is within 0.35 to 1"
    )


def test_identity_needs_no_motion() -> None:
    still = dataclasses.replace(GOOD, mean_displacement=0.0)
    candidate = Candidate("identity", np.arange(3), np.arange(3))
    kept, _ = judge(candidate, still, 128, ClipPairConfig())
    assert kept


def test_one_impossible_frame_among_many_good_ones_rejects_a_pair() -> None:
    """A pair of which one frame joins two scenes is valid on average."""
    valid = torch.ones(17, 8, 8, dtype=torch.bool)
    valid[16, 1:] = False
    image = torch.zeros(17, 3, 8, 8, dtype=torch.uint8)
    flow, mask = torch.full((17, 2, 8, 8), 0.5), torch.ones(17, 1, 8, 8)
    measure = measure_flow(flow, valid, mask, image, image)
    assert measure.valid_share > 0.9
    assert measure.least_valid_share == 0.125
    candidate = draw("constant", [(0, 40)], 1)
    assert isinstance(candidate, Candidate)
    kept, why = judge(candidate, measure, 8, ClipPairConfig())
    assert not kept
    assert "least valid share of a frame" in why


def test_identity_of_black_leader_is_refused() -> None:
    """Encoded black is not quite black everywhere, and a dark scene is not black."""
    generator = np.random.default_rng(0)
    black = torch.from_numpy(generator.integers(0, 4, (3, 3, 16, 16), dtype=np.uint8))
    dark = torch.from_numpy(generator.integers(0, 24, (3, 1, 16, 16), dtype=np.uint8))
    seen = torch.ones(3, 16, 16, dtype=torch.bool)
    candidate = Candidate("identity", np.arange(3), np.arange(3))
    found = []
    for image in (black, dark.expand_as(black)):
        flow = torch.zeros(3, 2, 16, 16)
        measure = measure_flow(flow, seen, seen[:, None].float(), image, image)
        found.append(judge(candidate, measure, 16, ClipPairConfig()))
    assert not found[0][0]
    assert "contrast" in found[0][1]
    assert "is below 3" in found[0][1]
    assert found[1][0]
    assert "contrast" in found[1][1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"constant": -1.0},
        dict.fromkeys(MODES, 0.0),
        {"min_offset": 0},
        {"min_offset": 9, "max_offset": 8},
        {"min_displacement": 0.5},
        {"min_valid": 1.5},
        {"min_frame_valid": -0.1},
        {"min_contrast": 200.0},
        {"attempts": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        ClipPairConfig(**wrong)  # type: ignore[arg-type]


def test_unknown_flow_has_no_length_and_passes_no_bound_by_itself() -> None:
    """Flow files of stereo rigs leave pixels out: one of them must not hide 1000 pixels a step."""
    flow = torch.full((1, 2, 8, 8), 1000.0)
    flow[0, :, 3, 3] = torch.nan
    image = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    seen = torch.ones(1, 8, 8, dtype=torch.bool)
    candidate = draw("constant", [(0, 40)], 1)
    assert isinstance(candidate, Candidate)
    for unknown in (flow, torch.full_like(flow, torch.nan)):
        measure = measure_flow(unknown, seen, seen[:, None].float(), image, image)
        kept, why = judge(candidate, measure, 8, ClipPairConfig())
        assert not kept
        assert "mean displacement / width" in why
        report = PairReport()
        report.reject(candidate, why, measure)
        length = json.loads(report.to_json(), parse_constant=pytest.fail)["rejected"][0]
        assert (length["mean_displacement"] is None) == bool(torch.isnan(unknown).all())
