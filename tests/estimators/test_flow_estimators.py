"""Flow estimators on motions that are known, and flow files against their published layouts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.optical_flow import raft_small

from scaling4d.estimators import EstimatorError, FlowEstimator, make_flow_estimator
from scaling4d.estimators.flow_files import read_flow, write_flow
from scaling4d.estimators.precomputed import CachedFlow, pair_name
from scaling4d.estimators.raft import _padding
from tests import scenes


def pair_with_shift(height: int = 64, width: int = 80, shift: int = 3) -> tuple:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (1, 3, height // 4, width // 4), generator=generator).float()
    image = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic").clamp(0, 255)
    first = image.to(torch.uint8).expand(2, -1, -1, -1)
    return first, first.roll(shift, dims=3)


def test_dis_finds_a_shift():
    first, second = pair_with_shift()
    estimator = make_flow_estimator("dis")
    assert isinstance(estimator, FlowEstimator)
    flow = estimator(first, second)
    assert flow.shape == (2, 2, 64, 80)
    assert flow.dtype == torch.float32
    inner = flow[:, :, 8:-8, 12:-12]
    assert (inner - torch.tensor([3.0, 0.0])[:, None, None]).abs().median() < 0.1


@pytest.mark.parametrize(("preset", "smallest"), [("medium", 16), ("fast", 32), ("ultrafast", 32)])
def test_dis_takes_images_as_small_as_opencv_can_and_no_smaller(preset, smallest):
    """Wide ones end the process else: the pyramid's depth follows from the width."""
    estimator = make_flow_estimator("dis", preset=preset)
    for size in ((smallest, 400), (smallest + 1, 90), (400, smallest), (smallest, smallest)):
        assert torch.isfinite(estimator(*pair_with_shift(*size))).all()
    with pytest.raises(EstimatorError, match=f"DIS .{preset}. needs images of at least {smallest}"):
        estimator(*pair_with_shift(smallest - 1, 400))


def test_dis_on_a_rendered_static_scene_is_near_the_exact_field():
    """Written beside the paper's 1.18 px for RAFT on real static videos (section 4.4)."""
    scene, source = scenes.room(), scenes.default_camera(192, 256)
    target = source.moved(scenes.rigid(scenes.rotation_z(0.01), (0.08, 0.02, 0.05)))
    truth = scene.correspondence(0.0, source, 0.0, target)
    images = [
        torch.from_numpy(scene.rgb(0.0, camera, 2)).permute(2, 0, 1)[None]
        for camera in (source, target)
    ]
    flow = make_flow_estimator("dis")(*images)[0].permute(1, 2, 0).numpy()
    error = np.linalg.norm(flow - truth.displacement, axis=-1)[truth.visible]
    print(f"DIS on the analytic room: mean EPE {error.mean():.3f} px (paper, RAFT: 1.18 px)")
    assert error.mean() < 1.18


@pytest.mark.parametrize(("size", "pairs"), [("small", 2), ("large", 1)])
def test_raft_is_torchvision_s_network_in_minus_one_to_one(size, pairs, tmp_path):
    """Same numbers as the network called by hand, for a size that needs padding."""
    from torchvision.models import optical_flow

    torch.manual_seed(0)
    network = getattr(optical_flow, f"raft_{size}")(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    estimator = make_flow_estimator(
        f"raft_{size}", weights=tmp_path / "weights.pth", iterations=1, batch_size=1
    )
    first, second = (images[:pairs] for images in pair_with_shift(120, 124))
    flow = estimator(first, second)
    assert flow.shape == (pairs, 2, 120, 124)
    images = [
        torch.nn.functional.pad(v.float() / 255 * 2 - 1, (2, 2, 4, 4), mode="replicate")
        for v in (first[:1], second[:1])
    ]
    with torch.no_grad():
        expected = network(*images, num_flow_updates=1)[-1][:, :, 4:-4, 2:-2]
    torch.testing.assert_close(flow[:1], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(flow[-1], flow[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("sides", [(480, 480), (1, 1), (127, 129), (436, 1024), (240, 368)])
def test_raft_padding_reaches_a_legal_size_evenly(sides):
    left, right, top, bottom = _padding(*sides)
    height, width = sides[0] + top + bottom, sides[1] + left + right
    for side, padded in zip(sides, (height, width), strict=True):
        assert padded % 8 == 0
        assert padded >= 128
        assert padded - side < 8 or padded == 128
    assert abs(left - right) <= 1
    assert abs(top - bottom) <= 1


def test_raft_in_mixed_precision_stays_near_full_precision(tmp_path):
    torch.manual_seed(0)
    torch.save(raft_small(weights=None).state_dict(), tmp_path / "small.pth")
    first, second = pair_with_shift(128, 128)
    options = {"weights": tmp_path / "small.pth", "iterations": 1}
    full = make_flow_estimator("raft_small", **options)(first, second)
    mixed = make_flow_estimator("raft_small", mixed_precision=True, **options)(first, second)
    assert mixed.dtype == torch.float32
    assert (mixed - full).abs().mean() < 0.1 * full.abs().mean() + 0.05


@pytest.mark.full
def test_compiled_raft_agrees_with_eager(tmp_path):
    torch.manual_seed(0)
    torch.save(raft_small(weights=None).state_dict(), tmp_path / "small.pth")
    first, second = pair_with_shift(128, 128)
    options = {"weights": tmp_path / "small.pth", "iterations": 2}
    eager = make_flow_estimator("raft_small", **options)(first, second)
    compiled = make_flow_estimator("raft_small", compile_model=True, **options)(first, second)
    torch.testing.assert_close(compiled, eager, atol=0.05, rtol=0.01)


def test_raft_weights_from_safetensors_and_of_the_wrong_size(tmp_path):
    from safetensors.torch import save_file

    save_file(raft_small(weights=None).state_dict(), tmp_path / "small.safetensors")
    make_flow_estimator("raft_small", weights=tmp_path / "small.safetensors")
    with pytest.raises(EstimatorError, match="does not hold weights of torchvision's raft_large"):
        make_flow_estimator("raft_large", weights=tmp_path / "small.safetensors")


def test_raft_without_a_network_says_what_to_do(monkeypatch):
    import urllib.error

    from torchvision.models import optical_flow

    def no_network(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    assert optical_flow.Raft_Small_Weights.DEFAULT.url.startswith("https://")
    with pytest.raises(EstimatorError, match=r"pass weights='path/.*or choose .* 'dis'"):
        make_flow_estimator("raft_small")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.pth", None),
        ("empty.pth", b""),
        ("text.pth", b"version https://git-lfs.github.com/spec/v1"),
        ("pickle.pt", b"\x80\x02}q\x00X\x05"),
        ("zip.pth", b"PK\x03\x04" + bytes(60)),
        ("cut.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{}"),
        ("empty.safetensors", b""),
    ],
)
def test_damaged_raft_weights_are_named(tmp_path, name, content):
    path = tmp_path / name
    if content is None:
        torch.save({"weight": torch.zeros(1000)}, path)
        content = path.read_bytes()[:1000]
    path.write_bytes(content)
    with pytest.raises(EstimatorError, match=rf"{name} cannot be read as RAFT weights \(.*again"):
        make_flow_estimator("raft_small", weights=path)


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("state", [[1, 2], {"weight": 3}, {}])
def test_files_with_other_things_than_raft_are_refused(tmp_path, state):
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(EstimatorError, match="does not hold weights of torchvision's raft_small"):
        make_flow_estimator("raft_small", weights=tmp_path / "other.pth")


def test_raft_missing_file_is_named(tmp_path):
    with pytest.raises(EstimatorError, match=r"no RAFT weights at .*gone\.pth"):
        make_flow_estimator("raft_small", weights=tmp_path / "gone.pth")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("raft", {}, "must be one of"),
        ("dis", {"preset": "best"}, "DIS preset must be one of"),
        ("dis", {"speed": 3}, "its options are preset"),
        ("raft_small", {"weights": "random", "iterations": 0}, "at least 1"),
        ("raft_small", {"weights": "random", "device": "gpu"}, r"device 'gpu' .*has cpu"),
        ("raft_small", {"weights": "random", "device": "cuda:99"}, r"device 'cuda:99' .*has cpu"),
        ("precomputed", {"folder": "nowhere"}, "no folder of precomputed flow"),
    ],
)
def test_unknown_estimators_and_options_are_refused(name, options, message):
    with pytest.raises(EstimatorError, match=message):
        make_flow_estimator(name, **options)


@pytest.mark.parametrize("suffix", [".flo", ".npy", ".npz"])
def test_flow_files_round_trip_with_unknown_pixels(tmp_path, suffix):
    flow = torch.randn(2, 5, 7)
    flow[:, 2, 3] = torch.nan
    write_flow(tmp_path / f"flow{suffix}", flow)
    back = read_flow(tmp_path / f"flow{suffix}")
    assert torch.equal(torch.nan_to_num(back, 99.0), torch.nan_to_num(flow, 99.0))
    assert [p.name for p in tmp_path.iterdir()] == [f"flow{suffix}"], "nothing partial is left"


def test_flo_agrees_with_opencv_both_ways(tmp_path):
    import cv2

    flow = torch.randn(2, 6, 4)
    cv2.writeOpticalFlow(str(tmp_path / "theirs.flo"), flow.permute(1, 2, 0).contiguous().numpy())
    assert torch.equal(read_flow(tmp_path / "theirs.flo"), flow)
    write_flow(tmp_path / "ours.flo", flow)
    ours = cv2.readOpticalFlow(str(tmp_path / "ours.flo"))
    np.testing.assert_array_equal(ours.transpose(2, 0, 1), flow.numpy())


def test_kitti_png_is_x_y_known(tmp_path):
    import cv2

    x, y, known = np.full((3, 4), 10.5), np.full((3, 4), -2.25), np.ones((3, 4))
    known[1, 2] = 0
    stored = np.stack([known, y * 64 + 2**15, x * 64 + 2**15], axis=-1).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "kitti.png"), stored)  # OpenCV writes B, G, R
    flow = read_flow(tmp_path / "kitti.png")
    assert flow[:, 0, 0].tolist() == [10.5, -2.25]
    assert torch.isnan(flow).nonzero().tolist() == [[0, 1, 2], [1, 1, 2]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.flo", b"not a flow file at all", "202021.25"),
        ("a.npy", b"nothing", "cannot|can be read"),
        ("a.npy", b"", r"a\.npy is not a flow file that can be read: No data left"),
        ("a.npz", b"", r"a\.npz is not a flow file that can be read: No data left"),
        ("a.npz", b"PK\x03\x04" + bytes(60), r"a\.npz is not .* not a zip file"),
        ("a.flo", b"", "202021.25"),
        ("a.png", b"", "16-bit PNG"),
        ("a.txt", b"", "must end in one of"),
    ],
)
def test_damaged_flow_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EstimatorError, match=message):
        read_flow(tmp_path / name)


def test_precomputed_flow_is_what_the_cache_wrote_and_misses_are_errors(tmp_path):
    first, second = pair_with_shift()
    images = torch.cat([first[:1], second[:1]])
    calls = []

    class Counting:
        name = "counting"

        def __call__(self, a, b):
            calls.append(len(a))
            return make_flow_estimator("dis")(a, b)

    cache = CachedFlow(Counting(), tmp_path)
    flow = cache(images, images.flip(0))
    assert torch.equal(cache(images, images.flip(0)), flow)
    assert calls == [2], "the second call reads"
    stored = make_flow_estimator("precomputed", folder=tmp_path)
    assert torch.equal(stored(images.flip(0), images), flow.flip(0))
    with pytest.raises(EstimatorError, match="holds no flow flow_"):
        stored(images[:1], images[:1])
    write_flow(tmp_path / f"{pair_name(images[0], images[0])}.flo", torch.zeros(2, 8, 8))
    with pytest.raises(EstimatorError, match="compute flow after the crop and resize"):
        stored(images[:1], images[:1])


def test_settings_of_precomputed_flow_follow_its_files_or_the_estimator_that_made_them(tmp_path):
    stored = make_flow_estimator("precomputed", folder=tmp_path)
    settings = [stored.settings]
    for name, flow in (("a", 0.0), ("b", 0.0), ("b", 1.0)):
        write_flow(tmp_path / f"flow_{name}.npy", torch.full((2, 8, 8), flow))
        settings.append(stored.settings)
        (tmp_path / "notes.txt").write_text(name)
        assert stored.settings == settings[-1]
    assert len({repr(each) for each in settings}) == 4
    images = pair_with_shift()[0]
    CachedFlow(make_flow_estimator("dis"), tmp_path / "dis")
    recorded = make_flow_estimator("precomputed", folder=tmp_path / "dis")
    before = recorded.settings
    CachedFlow(make_flow_estimator("dis"), tmp_path / "dis")(images[:1], images[1:])
    assert recorded.settings == before, "more flow of the same estimator"
    CachedFlow(make_flow_estimator("dis", preset="fast"), tmp_path / "fast")
    assert make_flow_estimator("precomputed", folder=tmp_path / "fast").settings != before


@pytest.mark.parametrize("name", ["dis", "raft_small", "precomputed", "cached"])
def test_no_pairs_give_no_flow(name, tmp_path):
    options = {"raft_small": {"weights": "random"}, "precomputed": {"folder": tmp_path}}
    made = "dis" if name == "cached" else name
    estimator = make_flow_estimator(made, **options.get(name, {}))
    if name == "cached":
        estimator = CachedFlow(estimator, tmp_path)
    none = torch.zeros(0, 3, 32, 40, dtype=torch.uint8)
    flow = estimator(none, none)
    assert flow.shape == (0, 2, 32, 40)
    assert flow.dtype == torch.float32


def test_a_folder_of_cached_flow_belongs_to_one_estimator(tmp_path):
    images = pair_with_shift()[0]
    weights = {"weights": "random", "iterations": 1}
    for name, options, other in (
        ("dis", {"preset": "medium"}, {"preset": "fast"}),
        ("raft_small", weights, {**weights, "iterations": 2}),
    ):
        cached = CachedFlow(make_flow_estimator(name, **options), tmp_path / name)
        flow = cached(images[:1], images[1:])
        again = CachedFlow(make_flow_estimator(name, **options), tmp_path / name)
        assert torch.equal(again(images[:1], images[1:]), flow)
        with pytest.raises(EstimatorError, match=rf'holds flow of \["{name}".*own folder'):
            CachedFlow(make_flow_estimator(name, **other), tmp_path / name)
    (tmp_path / "dis" / "estimator.json").unlink()
    with pytest.raises(EstimatorError, match="holds flow of an unknown estimator"):
        CachedFlow(make_flow_estimator("dis"), tmp_path / "dis")


@pytest.mark.parametrize("name", ["dis", "raft_small"])
def test_flow_can_be_written_to_and_trained_on(name):
    options = {"weights": "random", "iterations": 1} if name == "raft_small" else {}
    first, second = pair_with_shift()
    flow = make_flow_estimator(name, **options)(first, second).mul_(2)
    layer = torch.nn.Conv2d(2, 1, 1)
    layer(flow).sum().backward()
    assert torch.isfinite(layer.weight.grad).all()


@pytest.mark.usefixtures("without_shape_checks")
def test_arrays_are_refused_by_their_kind():
    image = np.zeros((1, 3, 32, 32), np.uint8)
    with pytest.raises(EstimatorError, match="must be a torch tensor, got ndarray"):
        make_flow_estimator("dis")(image, image)


def test_flow_estimators_refuse_other_images():
    estimator = make_flow_estimator("dis")
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises((EstimatorError, TypeError)):
        estimator(image.float(), image.float())
    with pytest.raises(EstimatorError, match="at least 16 pixels"):
        estimator(image[..., :8, :8], image[..., :8, :8])
