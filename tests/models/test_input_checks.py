"""The doors of the network say what does not belong there, and what to do."""

from __future__ import annotations

import math

import pytest
import torch

from scaling4d.models import BackboneConfig, ModelConfig, ProjectorConfig, VNVSModel
from scaling4d.models.backbones import TextCondition
from scaling4d.models.errors import ModelInputError
from scaling4d.models.input_checks import check_velocity_inputs

pytestmark = pytest.mark.usefixtures("without_shape_checks")

SIZE = (9, 32, 64)


@pytest.fixture(scope="module")
def model() -> VNVSModel:
    options = {"dim": 32, "depth": 1, "heads": 2, "patch": 8, "frequencies": 16}
    return VNVSModel.build(
        ModelConfig(
            backbone=BackboneConfig(options=options),
            projector=ProjectorConfig(width=16, depth=0, frequencies=8),
        )
    ).eval()


def inputs(model: VNVSModel) -> dict:
    frames, height, width = SIZE
    return {
        "noisy": torch.randn(model.latent_shape(2, *SIZE)),
        "sigma": torch.tensor([0.3, 0.8]),
        "text": model.encode_text(["a room", ""]),
        "control": torch.rand(2, frames, 9, height, width),
    }


def test_what_belongs_together_passes(model: VNVSModel) -> None:
    call = inputs(model)
    with torch.no_grad():
        assert model.velocity(**call).shape == call["noisy"].shape
        call["control"] = model.select_control(call["control"].bfloat16())
        assert model.velocity(**call).shape == call["noisy"].shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # As many tokens, elsewhere: nothing else would notice.
        ({"control": torch.zeros(2, 9, 9, 64, 32)}, r"steers latents of 3x8x4 .*got 3x4x8"),
        (
            {"control": torch.zeros(2, 13, 9, 32, 64)},
            r"steers latents of 4x4x8 .*one size of video",
        ),
        ({"control": torch.zeros(2, 5, 9, 32, 64)}, r"steers latents of 2x4x8"),
        ({"control": torch.zeros(2, 8, 9, 32, 64)}, "nearest legal: 9 frames of 32x64"),
        ({"control": torch.zeros(1, 9, 9, 32, 64)}, "2 prompts and 1 controls"),
        ({"control": torch.zeros(9, 9, 32, 64)}, "must be batch frames channels height width"),
        ({"control": torch.zeros(2, 9, 8, 32, 64)}, "must have 9 channels"),
        ({"control": torch.zeros(2, 9, 9, 32, 64, dtype=torch.uint8)}, r"control must be floating"),
        (
            {"control": torch.full((2, 9, 9, 32, 64), 255.0)},
            r"channel 0 .* must lie in \+-1, got .*",
        ),
        ({"sigma": torch.tensor([0.3])}, r"got sigma of shape \(1,\), 2 prompts"),
        ({"sigma": torch.tensor(0.3)}, r"got sigma of shape \(\)"),
        ({"sigma": torch.tensor([1, 0])}, "sigma must be floating point, got torch.int64"),
        ({"text": TextCondition(torch.zeros(3, 32, dtype=torch.long))}, "3 prompts and 2 controls"),
        ({"noisy": torch.zeros(2, 16, 3, 4, 8)}, "latents must be batch 768 latent_frames"),
        ({"noisy": torch.zeros(2, 768, 3, 4, 8, dtype=torch.int8)}, "latents must be floating"),
    ],
)
def test_velocity_names_what_does_not_belong_together(
    model: VNVSModel, changes: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model.velocity(**inputs(model) | changes)


@pytest.mark.parametrize(
    ("video", "message"),
    [
        (torch.zeros(1, 9, 3, 32, 64, dtype=torch.uint8), r"got torch.uint8: .*127\.5 - 1"),
        (torch.full((1, 9, 3, 32, 64), 200.0), r"got values up to 200: levels of 0 to 255"),
        (torch.full((1, 9, 3, 32, 64), math.nan), "finite numbers in .*, got NaN"),
        (torch.full((1, 9, 3, 32, 64), -math.inf), "got values up to inf"),
        (torch.zeros(9, 3, 32, 64), "must be batch frames 3 height width"),
        (torch.zeros(1, 9, 32, 64, 3), "must be batch frames 3 height width"),
    ],
)
def test_videos_are_floats_in_minus_one_to_one(
    model: VNVSModel, video: torch.Tensor, message: str
) -> None:
    with pytest.raises(ModelInputError, match=message):
        model.encode_video(video)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((768, 3, 4, 8), r"latents must be batch 768 latent_frames .*, got \(768, 3, 4, 8\): see"),
        ((1, 16, 3, 4, 8), r"latents must be batch 768 .*, got \(1, 16, 3, 4, 8\)"),
    ],
)
def test_latents_to_decode_are_this_backbones(
    model: VNVSModel, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ModelInputError, match=message):
        model.decode_video(torch.zeros(shape))


def test_half_precision_may_round_beyond_one(model: VNVSModel) -> None:
    model.encode_video(torch.full((1, 9, 3, 32, 64), 1.004).bfloat16())


@pytest.mark.parametrize("prompts", ["a room", [["a room"]], [None], [b"a room"], [], None])
def test_prompts_are_a_list_of_texts(model: VNVSModel, prompts: object) -> None:
    with pytest.raises(ModelInputError, match="prompts must be a list of texts"):
        model.encode_text(prompts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channel", "value", "message"),
    [(4, 2.5, r"channel 4 .* \+-2, got values up to 2.5"), (6, math.nan, "channel 6 .* NaN")],
)
def test_control_values_are_checked_where_the_control_is_selected(
    model: VNVSModel, channel: int, value: float, message: str
) -> None:
    control = torch.zeros(1, 9, 9, 32, 64)
    control[0, 3, channel, 5, 7] = value
    with pytest.raises(ModelInputError, match=message):
        model.select_control(control)


def test_cameras_may_be_far_but_not_infinitely_far() -> None:
    backbone = BackboneConfig(options={"dim": 32, "depth": 1, "heads": 2})
    model = VNVSModel.build(ModelConfig(backbone=backbone, control="camera"))
    poses = torch.eye(4).repeat(1, 9, 1, 1)
    poses[..., 0, 3] = 300.0  # metres
    control = torch.zeros(1, 9, 9, 32, 64)
    assert model.select_control(control, poses).shape[2] == 15
    poses[..., 0, 3] = math.inf
    with pytest.raises(
        ModelInputError, match=r"channel 6 of the control \(camera\) must be finite"
    ):
        model.select_control(control, poses)


def test_the_check_of_every_step_reads_no_value_back_from_a_device(model: VNVSModel) -> None:
    """On the meta device there are no values to read: whatever asks for one fails."""
    call = {name: value.to("meta") for name, value in inputs(model).items() if name != "text"}
    check_velocity_inputs(
        **call,
        text=inputs(model)["text"],
        geometry=model.backbone.geometry,
        latent_channels=model.backbone.latent_channels,
    )
