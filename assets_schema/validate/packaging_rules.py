"""S4D6xx and S4D7xx: licences, and paths that keep a package movable."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from pxr import Ar, Sdf, UsdUtils

from assets_schema.asset_bytes import open_package
from assets_schema.describe import dependencies
from assets_schema.quiet import quiet_usd

from .asset import AssetUnderTest
from .codes import ALLOWED_LICENSES

_IMAGE = re.compile(r"\.(png|jpe?g|exr|hdr|tiff?|tga|bmp)$", re.IGNORECASE)
_USDZ_ALIGNMENT = 64


def check_legal(asset: AssetUnderTest) -> None:
    """The licence is stated and allowed, and the source is known."""
    if not asset.entry.license:
        asset.report("S4D601", "the asset states no licence", always=True)
    elif asset.entry.license not in ALLOWED_LICENSES:
        asset.report("S4D602", f"{asset.entry.license!r} is not on the list", always=True)
    if not asset.entry.source:
        asset.report("S4D603", "the asset states no source", always=True)


def check_paths(asset: AssetUnderTest) -> None:
    """Every path of every layer, in all variants at once, is relative and stays in the package."""
    package = asset.file.resolve().parent
    if asset.file.suffix.lower() == ".usdz":
        _check_usdz(asset)
        return
    for path in dependencies(asset.file)[0]:
        if path.suffix.lower() not in (".usd", ".usda", ".usdc"):
            continue
        layer = Sdf.Layer.FindOrOpen(str(path))
        for authored in _authored_paths(layer) if layer else ():
            _check_path(asset, layer, authored, package)


def _authored_paths(layer: Sdf.Layer) -> list[str]:
    with quiet_usd():
        groups = UsdUtils.ExtractExternalReferences(layer.realPath)
    return sorted({path for group in groups for path in group if path})


def _check_path(asset: AssetUnderTest, layer: Sdf.Layer, authored: str, package: Path) -> None:
    where = f"{authored} in {Path(layer.realPath).name}"
    if _is_absolute(authored):
        asset.report("S4D701", where, always=True)
        return
    folder = Path(layer.realPath).parent.resolve()  # a library may be reached through a link
    target = Path(os.path.normpath(folder / authored))
    if not target.is_relative_to(package):
        asset.report("S4D702", where, always=True)
    elif not _exists(layer, authored) and not _reported_elsewhere(asset, authored):
        asset.report("S4D704", where, always=True)


def _is_absolute(path: str) -> bool:
    if re.match(r"^[A-Za-z][A-Za-z0-9+.-]+:", path):  # a URI, or a Windows drive
        return True
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _exists(layer: Sdf.Layer, authored: str) -> bool:
    outer = Ar.SplitPackageRelativePathOuter(authored)[0]
    plain = outer.split(":SDF_FORMAT_ARGS:")[0]
    if "<UDIM>" in plain:
        stem = Path(plain).name.replace("<UDIM>", "[0-9]" * 4)
        return any((Path(layer.realPath).parent / Path(plain).parent).glob(stem))
    return (Path(layer.realPath).parent / plain).exists()


def _reported_elsewhere(asset: AssetUnderTest, authored: str) -> bool:
    """A texture of a material is S4D403, a layer is S4D106; what is left is S4D704."""
    return any(
        code in ("S4D403", "S4D106") and Path(authored).name in message
        for code, _, message in asset.findings
    )


def _check_usdz(asset: AssetUnderTest) -> None:
    archive = open_package(asset.file)
    for name in archive.GetFileNames() if archive else ():
        info = archive.GetFileInfo(name)
        if info.compressionMethod != 0:
            asset.report("S4D703", f"{name} is compressed", always=True)
        elif info.dataOffset % _USDZ_ALIGNMENT:
            asset.report("S4D703", f"{name} starts at byte {info.dataOffset}", always=True)
