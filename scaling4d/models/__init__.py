"""The network of §3.4: Correspondence Projector and VNVS Blocks on video foundation models."""

from .backbones import BackboneConfig
from .correspondence_projector import CorrespondenceProjector, ProjectorConfig
from .injection import InjectionConfig
from .model_config import ModelConfig
from .vnvs import VNVSModel
from .vnvs_block import VNVSBlock, VNVSBlockConfig

__all__ = [
    "BackboneConfig",
    "CorrespondenceProjector",
    "InjectionConfig",
    "ModelConfig",
    "ProjectorConfig",
    "VNVSBlock",
    "VNVSBlockConfig",
    "VNVSModel",
]
