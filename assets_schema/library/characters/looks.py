"""Looks of a person: complexion, hair colour and the finishes of what is worn."""

from __future__ import annotations

from dataclasses import dataclass

from ...look_layer import PreviewSurface
from ..finishes import FinishShelf
from .human import HumanTemplate
from .props import cardboard_texture
from .skin import Complexion, eye_texture, hair_texture, skin_texture

__all__ = ["LOOKS", "PersonLook", "surfaces"]


@dataclass(frozen=True)
class PersonLook:
    """Colours of a person and the finishes of what they wear."""

    complexion: Complexion
    top: str
    bottom: str
    coat: str
    shoe: str


LOOKS: dict[str, PersonLook] = {
    "autumn": PersonLook(
        Complexion((214, 164, 134), (176, 96, 86), (62, 40, 26), (92, 62, 36)),
        "fabric_rust",
        "denim_blue",
        "linen_grey",
        "leather_cognac",
    ),
    "navy": PersonLook(
        Complexion((134, 90, 64), (112, 60, 54), (22, 18, 16), (52, 34, 22)),
        "knit_cream",
        "fabric_navy",
        "fabric_charcoal",
        "leather_white",
    ),
    "fresh": PersonLook(
        Complexion((232, 192, 168), (196, 110, 104), (164, 118, 66), (88, 122, 142)),
        "fabric_white",
        "denim_black",
        "fabric_sage",
        "leather_white",
    ),
    "earth": PersonLook(
        Complexion((92, 60, 44), (84, 44, 42), (16, 13, 12), (40, 26, 18)),
        "fabric_mustard",
        "linen_cream",
        "leather_cognac",
        "leather_black",
    ),
    "teal": PersonLook(
        Complexion((222, 178, 140), (178, 100, 92), (26, 22, 22), (58, 40, 26)),
        "fabric_teal",
        "linen_grey",
        "fabric_navy",
        "leather_black",
    ),
    "check": PersonLook(
        Complexion((240, 206, 186), (200, 116, 110), (142, 64, 30), (84, 118, 84)),
        "check_red",
        "denim_blue",
        "leather_black",
        "leather_cognac",
    ),
    "grey": PersonLook(
        Complexion((206, 160, 136), (166, 98, 92), (158, 154, 150), (96, 112, 124)),
        "knit_grey",
        "fabric_charcoal",
        "fabric_navy",
        "leather_black",
    ),
    "stripes": PersonLook(
        Complexion((170, 118, 86), (136, 72, 66), (38, 26, 20), (62, 42, 26)),
        "stripes_navy",
        "fabric_white",
        "fabric_mustard",
        "leather_white",
    ),
}


def surfaces(
    template: HumanTemplate, shelf: FinishShelf, look: PersonLook
) -> dict[str, PreviewSurface]:
    """Material slot -> surface."""
    colors = look.complexion
    return {
        "skin": PreviewSurface(diffuse=skin_texture(template, colors), roughness=0.52),
        "eyes": PreviewSurface(diffuse=eye_texture(colors), roughness=0.12),
        "hair": PreviewSurface(diffuse=hair_texture(colors.hair), roughness=0.42),
        "cloth_top": shelf.surface(look.top),
        "cloth_bottom": shelf.surface(look.bottom),
        "cloth_coat": shelf.surface(look.coat),
        "shoe": shelf.surface(look.shoe),
        "prop": PreviewSurface(diffuse=cardboard_texture(), roughness=0.85),
    }
