"""Long-range correspondence by each method, against exact flow of analytic clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaling4d.estimators import EstimatorError, make_flow_estimator
from scaling4d.estimators.long_range import VideoFlow
from tests import scenes


class ExactFlow:
    """Flow of an analytic clip: a frame's corner pixel holds its index. Counts what it is asked."""

    name = "exact"

    def __init__(self, scene, cameras, spoil: tuple[tuple[int, int], ...] = ()):
        self.scene, self.cameras, self.spoil = scene, cameras, spoil
        self.asked: list[tuple[int, int]] = []

    def __call__(self, first, second):
        flows = []
        for a, b in zip(first[:, 0, 0, 0].tolist(), second[:, 0, 0, 0].tolist(), strict=True):
            self.asked.append((a, b))
            truth = self.scene.correspondence(0.0, self.cameras[a], 0.0, self.cameras[b])
            flow = torch.from_numpy(truth.displacement).permute(2, 0, 1).float()
            if (a, b) in self.spoil:
                flow[:, :, :20] += 9.0
            flows.append(flow)
        return torch.stack(flows)


@pytest.fixture
def clip():
    scene, camera = scenes.plane(), scenes.default_camera(48, 64)
    cameras = camera.orbit(6, yaw=10.0, pivot=(0, 4, 0))
    video = torch.zeros(6, 3, 48, 64, dtype=torch.uint8)
    video[:, 0, 0, 0] = torch.arange(6, dtype=torch.uint8)
    return scene, cameras, video


@pytest.mark.parametrize("method", ["direct", "chain", "hybrid"])
@pytest.mark.parametrize(("source", "target"), [(0, 5), (4, 1), (2, 2)])
def test_each_method_meets_the_exact_field(clip, method, source, target):
    scene, cameras, video = clip
    flow = VideoFlow(video, ExactFlow(scene, cameras))
    result = flow([source, target], [target, source], method)
    truth = scene.correspondence(0.0, cameras[source], 0.0, cameras[target])
    inner = truth.visible & result.consistent[0].numpy()
    assert inner.mean() > 0.7
    error = result.field.displacement[0].permute(1, 2, 0).numpy() - truth.displacement
    # A chain reads each link bilinearly, and repeats it in the half pixel beside the border.
    assert np.abs(error[inner]).max() < (0.03 if method == "chain" else 1e-4)
    assert torch.isfinite(result.field.displacement).all(), "the field is dense"
    assert result.valid_share()[0].item() == pytest.approx(result.consistent[0].float().mean())


def test_chain_asks_for_each_neighbour_once(clip):
    scene, cameras, video = clip
    exact = ExactFlow(scene, cameras)
    flow = VideoFlow(video, exact)
    flow([0, 1, 5], [5, 4, 0], "chain")
    neighbours = {(i, i + 1) for i in range(5)} | {(i + 1, i) for i in range(5)}
    assert sorted(exact.asked) == sorted(neighbours)
    flow([0], [3], "chain")
    assert len(exact.asked) == 10, "cached"
    assert flow.neighbour_flows().shape == (5, 2, 48, 64)
    assert torch.equal(flow.neighbour_flows(forward=False)[2], flow._flow([(3, 2)])[0])
    flow.forget()
    flow([0], [1], "direct")
    assert len(exact.asked) == 12


@pytest.mark.parametrize(
    ("method", "pairs", "expected"),
    [
        ("direct", [(0, 5), (5, 0)], [2]),
        ("chain", [(0, 5)], [4, 4, 2]),
        ("hybrid", [(0, 5), (0, 4), (0, 3)], [4, 4, 4, 4]),
    ],
)
def test_flows_are_estimated_in_full_batches(clip, method, pairs, expected):
    scene, cameras, video = clip
    sizes, exact = [], ExactFlow(scene, cameras)

    class Counting:
        name = "counting"

        def __call__(self, first, second):
            sizes.append(len(first))
            return exact(first, second)

    sources, targets = np.array(pairs).T
    flow = VideoFlow(video, Counting(), batch_size=4)
    result = flow(sources, targets, method)
    assert sizes == expected
    lists = flow(sources.tolist(), torch.from_numpy(targets.copy()), method)
    assert torch.equal(result.field.displacement, lists.field.displacement)


def test_hybrid_repairs_what_direct_flow_gets_wrong(clip):
    scene, cameras, video = clip
    truth = scene.correspondence(0.0, cameras[0], 0.0, cameras[5])
    flow = VideoFlow(video, ExactFlow(scene, cameras, spoil=((0, 5),)))
    direct, hybrid = flow([0], [5], "direct"), flow([0], [5], "hybrid")
    wrong = truth.visible.copy()
    wrong[:, 20:] = False
    assert not direct.consistent[0].numpy()[wrong].any()
    repaired = wrong & hybrid.consistent[0].numpy()
    assert repaired.sum() > 0.8 * wrong.sum()
    error = hybrid.field.displacement[0].permute(1, 2, 0).numpy() - truth.displacement
    assert np.abs(error[repaired]).max() < 0.01
    assert hybrid.direct_share.item() == pytest.approx(1 - repaired.mean(), abs=0.05)
    assert direct.direct_share.item() == 1


def test_a_broken_link_breaks_the_chain_of_its_pixels(clip):
    scene, cameras, video = clip
    flow = VideoFlow(video, ExactFlow(scene, cameras, spoil=((2, 3),)))
    result = flow([0], [5], "chain")
    assert not result.consistent[0, :, :12].any()
    assert result.consistent[0, 4:-4, 30:50].all()


def test_frames_and_methods_that_do_not_exist_are_refused(clip):
    scene, cameras, video = clip
    flow = VideoFlow(video, ExactFlow(scene, cameras))
    with pytest.raises(EstimatorError, match="frame 6 is not in a video of 6 frames"):
        flow([0], [6])
    with pytest.raises(EstimatorError, match="as many frames"):
        flow([0, 1], [2])
    with pytest.raises((EstimatorError, TypeError)):
        flow([0], [1], "best")
    for batch_size in (0, -1):
        with pytest.raises(EstimatorError, match=f"at least 1, got {batch_size}"):
            VideoFlow(video, flow.estimator, batch_size)


@pytest.mark.usefixtures("without_shape_checks")
def test_frames_are_whole_numbers(clip):
    with pytest.raises(EstimatorError, match="given by whole numbers"):
        VideoFlow(clip[2], make_flow_estimator("dis"))([0.5], [1])


def test_real_clip_reports_its_consistency(test_data):
    """DIS on a real hand-held clip: what passes the cycle test shrinks with the distance."""
    from scaling4d.storage.video import read_video

    frames = read_video(test_data / "video" / "bedroom.mp4", frames=9, step=2).frames
    video = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    video = torch.nn.functional.interpolate(video.float(), (120, 214), mode="area").to(torch.uint8)
    flow = VideoFlow(video, make_flow_estimator("dis"))
    near, far = (flow([0], [gap]).valid_share().item() for gap in (1, 8))
    chained = flow([0], [8], "hybrid").valid_share().item()
    print(
        f"bedroom, DIS, consistent share: 2 frames {near:.2f}, 16 frames {far:.2f} direct, "
        f"{chained:.2f} hybrid"
    )
    assert near > 0.8
    assert near > far
    assert chained >= far
