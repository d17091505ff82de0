"""Read the bytes behind a resolved asset path, also of a file inside a usdz package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pxr import Ar, Sdf, Usd


def read_bytes(resolved: str) -> bytes:
    """Return the contents; empty when the file or the member of the package does not exist."""
    if Ar.IsPackageRelativePath(resolved):
        package, member = Ar.SplitPackageRelativePathOuter(resolved)
        archive = open_package(package)
        data = archive.GetFile(member) if archive and member in archive.GetFileNames() else None
        return bytes(data) if data is not None else b""
    path = Path(resolved)
    return path.read_bytes() if path.is_file() else b""


def open_package(file: Path | str) -> Any:
    """Open a usdz's directory; the class moved from Usd to Sdf in USD 26.

    Returns:
        USD's ZipFile, or None when the file is no such archive.
    """
    zip_file = getattr(Sdf, "ZipFile", None) or Usd.ZipFile
    return zip_file.Open(str(file))
