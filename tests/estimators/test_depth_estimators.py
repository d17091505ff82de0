"""Depth estimators on a tiny real model and on files in the layouts of other tools."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaling4d.estimators import DepthEstimator, EstimatorError, make_depth_estimator
from scaling4d.estimators.depth_files import fit_pinhole, read_depth


@pytest.fixture(scope="module", params=["relative", "metric"])
def model_folder(request, tmp_path_factory):
    """A real Depth Anything model, randomly initialised, of a few thousand weights."""
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
    )

    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=28,
        patch_size=14,
        out_features=["stage1", "stage2"],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        reassemble_factors=[2, 1],
        neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
        depth_estimation_type=request.param,
        max_depth=20 if request.param == "metric" else 1,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(request.param)
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    processor = DPTImageProcessor(
        size={"height": 28, "width": 28}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    processor.save_pretrained(folder)
    return request.param, folder


def video(frames: int = 3, height: int = 30, width: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (frames, 3, height, width), generator=generator, dtype=torch.uint8)


def test_transformers_depth_states_its_kind_and_has_the_size_of_the_video(model_folder):
    kind, folder = model_folder
    estimator = make_depth_estimator(
        "transformers", model=folder, horizontal_fov=60.0, batch_size=2, local_files_only=True
    )
    assert isinstance(estimator, DepthEstimator)
    estimate = estimator(video(), 16.0)
    assert estimate.kind == {"metric": "metric", "relative": "affine_inverse"}[kind]
    assert estimate.depth.shape == (3, 30, 40)
    assert (estimate.depth > 0).all()
    assert estimate.intrinsics.shape == (3, 3, 3)
    assert estimate.intrinsics[1, 0, 0].item() == pytest.approx(20 / np.tan(np.radians(30)))
    one_by_one = estimator(video()[1:2], 16.0).depth
    # As 1 / depth: a random network's inverse depth passes near zero, where depth is unbounded.
    torch.testing.assert_close(1 / estimate.depth[1:2], 1 / one_by_one, rtol=1e-4, atol=1e-5)


def test_inverse_depth_is_converted_with_the_callers_numbers(model_folder):
    _, folder = model_folder
    raw = make_depth_estimator("transformers", model=folder, output="metric")(video(), 16.0).depth
    raw.mul_(1)  # an ordinary tensor, not one of inference mode
    converted = make_depth_estimator(
        "transformers", model=folder, output="inverse", scale=0.5, shift=0.1
    )(video(), 16.0)
    assert converted.kind == "relative"
    known = ~torch.isnan(raw)
    torch.testing.assert_close(converted.depth[known], 1 / (0.5 * raw + 0.1)[known])
    behind = make_depth_estimator("transformers", model=folder, output="inverse", shift=-1e6)(
        video(), 16.0
    )
    assert torch.isposinf(behind.depth).all()


def test_relative_depth_is_right_up_to_one_scale_and_affine_inverse_depth_is_not(
    model_folder, caplog
):
    """The kinds mean what they say: a model of disparity 2 / z + 0.1 (unknown to the caller)."""
    kind, folder = model_folder
    if kind == "metric":
        make_depth_estimator("transformers", model=folder)
        assert not caplog.records
        return
    truth = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0)) * 4 + 1

    def estimate(**options):
        estimator = make_depth_estimator("transformers", model=folder, batch_size=3, **options)
        estimator._predict = lambda _: 2 / truth + 0.1
        return estimator(video(), 16.0)

    def ratios(depth):
        return (depth / truth).min().item(), (depth / truth).max().item()

    known = estimate(shift=-0.1)
    assert known.kind == "relative"
    assert not caplog.records
    assert ratios(known.depth) == pytest.approx((0.5, 0.5), rel=1e-4)
    unknown = estimate()
    assert unknown.kind == "affine_inverse"
    assert "unknown scale and shift" in caplog.text
    smallest, largest = ratios(unknown.depth)
    assert largest > 1.1 * smallest
    torch.testing.assert_close(1 / unknown.depth, 2 / truth + 0.1)


def test_a_model_that_cannot_be_had_says_what_to_do(tmp_path):
    with pytest.raises(EstimatorError, match="give a local folder"):
        make_depth_estimator("transformers", model=tmp_path)
    with pytest.raises(EstimatorError, match="its options are model, output, scale"):
        make_depth_estimator("transformers", path=tmp_path)


def test_depth_is_read_from_npy_and_npz_with_its_unknown_pixels(tmp_path):
    depth = np.random.default_rng(0).uniform(1, 5, (3, 6, 8))
    depth[0, 0, :3] = 0, -1, np.nan
    depth[1, 2, 3] = np.inf
    np.save(tmp_path / "d.npy", depth)
    np.savez(tmp_path / "d.npz", depth=depth, intrinsics=np.array([[7.0, 8, 4, 3]] * 3))
    plain = read_depth(tmp_path / "d.npy")
    assert plain.intrinsics is None
    assert torch.isnan(plain.depth).nonzero().tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 2]]
    assert torch.isposinf(plain.depth[1, 2, 3])
    with_cameras = read_depth(tmp_path / "d.npz")
    assert with_cameras.intrinsics[2].tolist() == [[7, 0, 4], [0, 8, 3], [0, 0, 1]]
    np.save(tmp_path / "k.npy", np.diag([9.0, 9, 1]))
    replaced = read_depth(tmp_path / "d.npz", tmp_path / "k.npy")
    assert replaced.intrinsics[:, 0, 0].tolist() == [9, 9, 9]


def test_whole_numbers_have_no_unit(tmp_path):
    np.save(tmp_path / "mm.npy", np.full((2, 4, 5), 1500, np.uint16))
    with pytest.raises(EstimatorError, match=r"mm.npy holds uint16.*1000 for millimetres"):
        read_depth(tmp_path / "mm.npy")


def test_geometry_crafter_output_gives_depth_and_a_pinhole(tmp_path):
    k = np.array([[50.0, 0, 21.0], [0, 52.0, 14.0], [0, 0, 1]])
    rows, columns = np.mgrid[:30, :40]
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones((30, 40))], axis=-1)
    depth = np.random.default_rng(0).uniform(1, 4, (2, 30, 40))
    points = (pixels @ np.linalg.inv(k).T) * depth[..., None]
    mask = np.ones((2, 30, 40), bool)
    mask[0, 3, 4] = False
    np.savez(tmp_path / "clip.npz", point_map=points.astype(np.float16), mask=mask)
    estimate = read_depth(tmp_path / "clip.npz")
    assert estimate.kind == "relative"
    np.testing.assert_allclose(estimate.intrinsics[0], k, atol=0.1)  # half floats
    assert torch.isnan(estimate.depth).nonzero().tolist() == [[0, 3, 4]]
    np.testing.assert_allclose(estimate.depth.numpy()[mask], depth[mask], rtol=1e-3)
    np.testing.assert_allclose(fit_pinhole(points, mask), k, atol=1e-9)


def test_depth_from_a_folder_of_exr(tmp_path):
    OpenEXR = pytest.importorskip("OpenEXR", reason="extra [render] is not installed")
    depth = np.random.default_rng(0).uniform(1, 5, (2, 4, 6)).astype(np.float32)
    for index, frame in enumerate(depth):
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"Z": frame}).write(str(tmp_path / f"depth_{index:04d}.exr"))
    np.testing.assert_array_equal(read_depth(tmp_path).depth.numpy(), depth)


def test_precomputed_depth_must_fit_the_video(tmp_path):
    np.save(tmp_path / "d.npy", np.arange(1, 1 + 4 * 5 * 6, dtype=np.float64).reshape(4, 5, 6))
    estimator = make_depth_estimator("precomputed", path=tmp_path / "d.npy", first_frame=1)
    clip = torch.zeros(3, 3, 5, 6, dtype=torch.uint8)
    assert estimator(clip, 8.0).depth[:, 0, 0].tolist() == [31, 61, 91]
    with pytest.raises(EstimatorError, match="holds 4 frames and frames 1 to 4"):
        estimator(torch.zeros(4, 3, 5, 6, dtype=torch.uint8), 8.0)
    with pytest.raises(EstimatorError, match="holds depth of 5x6 and the video has 6x6"):
        estimator(torch.zeros(1, 3, 6, 6, dtype=torch.uint8), 8.0)


@pytest.mark.usefixtures("without_shape_checks")
def test_unknown_kinds_and_frames_before_the_first_are_refused(tmp_path):
    np.save(tmp_path / "d.npy", np.ones((4, 5, 6)))
    with pytest.raises(EstimatorError, match="got 'foo'"):
        read_depth(tmp_path / "d.npy", kind="foo")
    with pytest.raises(EstimatorError, match="first_frame counts from 0, got -3"):
        make_depth_estimator("precomputed", path=tmp_path / "d.npy", first_frame=-3)
    with pytest.raises(EstimatorError, match=r"output must be one of .*, got 'inverted'"):
        make_depth_estimator("transformers", model=tmp_path, output="inverted")


def damaged(path, share):
    """A file of which only a share of the bytes arrived."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


@pytest.mark.parametrize("share", [0, 0.03, 0.6, 0.95])
@pytest.mark.parametrize("name", ["d.npy", "d.npz", "exr"])
def test_damaged_depth_files_are_named(tmp_path, name, share):
    depth = np.random.default_rng(0).uniform(1, 5, (2, 40, 60)).astype(np.float32)
    path = tmp_path / name
    if name == "exr":
        OpenEXR = pytest.importorskip("OpenEXR", reason="extra [render] is not installed")
        path.mkdir()
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"Z": depth[0]}).write(str(path / "0.exr"))
        named = damaged(path / "0.exr", share)
    else:
        np.save(path, depth) if name == "d.npy" else np.savez_compressed(path, depth=depth)
        named = damaged(path, share)
    with pytest.raises(EstimatorError, match=f"{named} (cannot|is not)"):
        read_depth(path)


def test_bytes_that_changed_inside_an_archive_are_noticed(tmp_path):
    np.savez_compressed(tmp_path / "d.npz", depth=np.random.default_rng(0).uniform(1, 5, (2, 8, 8)))
    content = bytearray((tmp_path / "d.npz").read_bytes())
    content[200:232] = bytes(32)
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(EstimatorError, match="cannot be read as depth"):
        read_depth(tmp_path / "d.npz")


def test_damaged_intrinsics_are_named_and_not_the_depth(tmp_path):
    np.save(tmp_path / "d.npy", np.ones((2, 4, 4)))
    (tmp_path / "k.npy").touch()
    np.savez(tmp_path / "k.npz", intrinsics=np.eye(3))
    for name, message in {
        "k.npy": "No data left",
        "k.npz": "an archive, give",
        "none.npy": "",
    }.items():
        with pytest.raises(
            EstimatorError, match=rf"cannot read .*{name} as intrinsics: .*{message}"
        ):
            read_depth(tmp_path / "d.npy", tmp_path / name)


def test_files_that_are_no_depth_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", other=np.ones(3))
    np.save(tmp_path / "flat.npy", np.ones((3, 4)))
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "depth.bin").touch()
    for name, message in {
        "absent.npy": "no depth at",
        "other.npz": r"it holds \['other'\]",
        "flat.npy": r"must hold \(frames, height, width\), got \(3, 4\)",
        "text.npy": "cannot be read as depth",
        "depth.bin": "is read from .npy, .npz or a folder",
        ".": "holds no .exr files",
    }.items():
        with pytest.raises(EstimatorError, match=message):
            read_depth(tmp_path / name)
