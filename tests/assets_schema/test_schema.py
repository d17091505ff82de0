"""The codeless schema is registered, documented, and found through the plug-in path alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from pxr import Plug, Sdf, Usd

from assets_schema.schema import ASSET_API, CHARACTER_API, LIGHT_API, SCHEMA_FOLDER

APIS = (ASSET_API, CHARACTER_API, LIGHT_API)


def test_import_registers_the_plugin() -> None:
    assert Plug.Registry().GetPluginWithName("scaling4dAssets") is not None


@pytest.mark.parametrize("api", APIS)
def test_applied_schema_gives_fallback_values(api) -> None:
    stage = Usd.Stage.CreateInMemory()
    prim = stage.DefinePrim("/A", "Xform")
    assert prim.CanApplyAPI(api) if hasattr(prim, "CanApplyAPI") else True
    prim.ApplyAPI(api)
    assert prim.HasAPI(api)
    definition = Usd.SchemaRegistry().FindAppliedAPIPrimDefinition(api)
    names = definition.GetPropertyNames()
    assert names
    for name in names:
        assert definition.GetPropertyDocumentation(name)
        assert prim.GetAttribute(name).HasFallbackValue()


def test_front_axis_falls_back_to_minus_y() -> None:
    stage = Usd.Stage.CreateInMemory()
    prim = stage.DefinePrim("/A")
    prim.ApplyAPI(ASSET_API)
    assert prim.GetAttribute("s4d:asset:frontAxis").Get() == "-y"


def test_every_class_of_the_layer_is_declared_in_the_plugin() -> None:
    layer = Sdf.Layer.FindOrOpen(str(SCHEMA_FOLDER / "generatedSchema.usda"))
    plugin = json.loads((SCHEMA_FOLDER / "plugInfo.json").read_text())["Plugins"][0]
    types = plugin["Info"]["Types"]
    declared = {info["alias"]["UsdSchemaBase"] for info in types.values()}
    assert declared == {spec.name for spec in layer.rootPrims} == set(APIS)
    assert {info["schemaKind"] for info in types.values()} == {"singleApplyAPI"}


def test_schema_is_found_through_the_plugin_path_without_importing_this_package() -> None:
    # This is what Houdini does with PXR_PLUGINPATH_NAME.
    code = (
        "from pxr import Usd; s = Usd.Stage.CreateInMemory(); p = s.DefinePrim('/A'); "
        "p.ApplyAPI('S4DLightAPI'); print(p.GetAttribute('s4d:light:intensityRange').Get())"
    )
    environment = {**os.environ, "PXR_PLUGINPATH_NAME": str(SCHEMA_FOLDER)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "(1, 1)"
