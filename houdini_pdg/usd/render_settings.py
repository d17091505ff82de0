"""Render settings in the stage: resolution, colour, 32-bit depth along the camera's axis.

Attribute names follow husk and Karma; other renderers ignore what they do not know.
"""

from __future__ import annotations

from pxr import Gf, Sdf, Usd, UsdRender

_VARS = (
    # name, source, source type, data type, EXR format, pixel filter
    ("C", "C.*", "lpe", "color4f", "color4h", '["ubox",{}]'),
    ("depth", "ray:hitPz", "raw", "float", "float", '["minmax",{"mode":"zmin"}]'),
)


def author_render_settings(stage: Usd.Stage, *, height: int, width: int, cameras: int) -> None:
    """Author /Render/settings with one product per camera; motion blur and defocus are off."""
    settings = UsdRender.Settings.Define(stage, "/Render/settings")
    settings.CreateResolutionAttr(Gf.Vec2i(width, height))
    settings.CreateAspectRatioConformPolicyAttr("expandAperture")
    settings.CreateIncludedPurposesAttr(["default", "render"])
    settings.CreateDisableMotionBlurAttr(True)
    settings.CreateDisableDepthOfFieldAttr(True)
    stage.SetMetadata("renderSettingsPrimPath", "/Render/settings")
    for variable in _VARS:
        _author_var(stage, *variable)
    for index in range(cameras):
        product = UsdRender.Product.Define(stage, f"/Render/Products/cam{index}")
        product.CreateProductTypeAttr("raster")
        product.CreateProductNameAttr(f"cam{index}.$F4.exr")
        product.CreateCameraRel().SetTargets([Sdf.Path(f"/World/Cameras/cam{index}")])
        product.CreateOrderedVarsRel().SetTargets(
            [Sdf.Path(f"/Render/Products/Vars/{variable[0]}") for variable in _VARS]
        )
        settings.CreateProductsRel().AddTarget(product.GetPath())
    settings.CreateCameraRel().SetTargets([Sdf.Path("/World/Cameras/cam0")])


def _author_var(
    stage: Usd.Stage,
    name: str,
    source: str,
    source_type: str,
    data_type: str,
    storage: str,
    pixel_filter: str,
) -> None:
    variable = UsdRender.Var.Define(stage, f"/Render/Products/Vars/{name}")
    variable.CreateSourceNameAttr(source)
    variable.CreateSourceTypeAttr(source_type)
    variable.CreateDataTypeAttr(data_type)
    prefix = "driver:parameters:aov:"
    for key, kind, value in (
        ("name", Sdf.ValueTypeNames.String, name),
        ("husk:format", Sdf.ValueTypeNames.Token, storage),
        ("karma:filter", Sdf.ValueTypeNames.String, pixel_filter),
    ):
        variable.GetPrim().CreateAttribute(prefix + key, kind).Set(value)
