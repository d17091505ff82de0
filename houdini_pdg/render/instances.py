"""Which prims the id pass tells apart, and a layer that carries their numbers to a renderer."""

from __future__ import annotations

from pathlib import Path

from pxr import Sdf, Usd, UsdGeom

_GROUPS = ("/World/Room", "/World/Objects", "/World/Characters")
LIMIT = 65535  # uint16 on disk


def number_instances(stage: Usd.Stage) -> dict[str, int]:
    """Number the direct children of the room, the objects and the characters, from 1, in order.

    Raises:
        ValueError: more of them than 16 bits can tell apart.
    """
    numbers: dict[str, int] = {}
    for group in _GROUPS:
        prim = stage.GetPrimAtPath(group)
        for child in prim.GetChildren() if prim else ():
            if child.IsA(UsdGeom.Imageable):
                numbers[str(child.GetPath())] = len(numbers) + 1
    if len(numbers) > LIMIT:
        raise ValueError(f"the stage holds {len(numbers)} objects, ids tell {LIMIT} apart")
    return numbers


def write_numbered_layer(path: Path, stage_path: Path, numbers: dict[str, int]) -> None:
    """Write a layer over ``stage_path`` that names each prim's number as a user property.

    Blender's importer turns ``userProperties:*`` into custom properties of the object, which
    survive its renaming of objects.
    """
    root = Sdf.Layer.FindOrOpen(str(stage_path))
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.subLayerPaths.append(stage_path.resolve().as_posix())
    layer.defaultPrim = root.defaultPrim
    for key in ("upAxis", "metersPerUnit", "timeCodesPerSecond", "framesPerSecond"):
        if root.pseudoRoot.HasInfo(key):
            layer.pseudoRoot.SetInfo(key, root.pseudoRoot.GetInfo(key))
    layer.startTimeCode, layer.endTimeCode = root.startTimeCode, root.endTimeCode
    for prim_path, number in numbers.items():
        prim = Sdf.CreatePrimInLayer(layer, prim_path)
        attribute = Sdf.AttributeSpec(
            prim,
            "userProperties:scaling4d_id",
            Sdf.ValueTypeNames.Int,
            Sdf.VariabilityVarying,
            True,  # custom: no schema declares it
        )
        attribute.default = number
    path.parent.mkdir(parents=True, exist_ok=True)
    layer.Export(str(path))
