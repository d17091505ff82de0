"""The weights of the modes as pairs of real videos show them, drawing and judging together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaling4d.data.clip_pairs import ClipPairConfig, PairReport
from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipSize
from scaling4d.data.real_pairs import FlowConfig, RealPairs
from scaling4d.data.video_folder import read_video_folder
from scaling4d.storage.video import write_video
from tests.storage.encoded import drifting_texture

SIZE = ClipSize(frames=5, height=48, width=48)


def reports(folder: Path, config: ClipPairConfig, count: int) -> list[PairReport]:
    (clip,) = read_video_folder(folder, SIZE, skip_broken=False)
    flow, cache = FlowConfig(name="dis"), DiskCache(folder / "cache")
    pairs = RealPairs([clip], SIZE, config=config, flow=flow, cache=cache, seed=3)

    def read() -> NDArray[np.uint8]:
        return clip.read(SIZE, cache)

    found = (pairs._variant(clip, variant, read)["report"] for variant in range(count))
    return [PairReport.from_json(str(report)) for report in found]


def test_a_video_without_motion_gives_few_pairs_and_not_many_of_identity(tmp_path: Path) -> None:
    still = np.repeat(drifting_texture(1, 48, 48), 40, axis=0)
    write_video(tmp_path / "still.mp4", still, 16)
    found = reports(tmp_path, ClipPairConfig(attempts=2, max_offset=6), 40)
    accepted = [report.accepted.split()[0] for report in found if report.accepted]
    assert set(accepted) <= {"identity"}
    assert len(accepted) <= 6, "of 40 at a weight of 0.05"
    for report in found:
        assert len({entry["candidate"].split()[0] for entry in report.rejected}) <= 1


def test_black_leader_gives_no_pair_and_says_so(tmp_path: Path) -> None:
    write_video(tmp_path / "leader.mp4", np.zeros((40, 48, 48, 3), dtype=np.uint8), 16)
    identity = ClipPairConfig(constant=0.0, growing=0.0, reversed=0.0, still=0.0, attempts=2)
    (report,) = reports(tmp_path, identity, 1)
    assert not report.accepted
    assert report.rejected[0]["reason"].startswith("contrast 0.0")


def test_one_video_that_allows_few_modes_still_gives_pairs(tmp_path: Path) -> None:
    """A variant has one mode; where no clip passes with it, other variants do."""
    still = np.repeat(drifting_texture(1, 48, 48), 40, axis=0)
    write_video(tmp_path / "still.mp4", still, 16)
    (clip,) = read_video_folder(tmp_path, SIZE, skip_broken=False)
    for variants in (8, 0):
        config = ClipPairConfig(attempts=2, max_offset=6, identity=1.0, variants=variants)
        flow, cache = FlowConfig(name="dis"), DiskCache(None)
        pairs = RealPairs([clip], SIZE, config=config, flow=flow, cache=cache, seed=3)
        found = [
            pairs.pair(Draw(position=0, source="real", item=0, epoch=epoch, seed=7)).report
            for epoch in range(5)
        ]
        assert {report["accepted"].split()[0] for report in found} == {"identity"}
        passed = [entry for report in found for entry in report["passed_over"]]
        assert passed, "some epochs' own variants have a mode that takes motion"
