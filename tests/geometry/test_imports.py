"""Geometry runs in Houdini's Python: importing all of it needs numpy and nothing else."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import importlib, pkgutil, sys
import scaling4d.geometry as geometry
for module in pkgutil.walk_packages(geometry.__path__, "scaling4d.geometry."):
    importlib.import_module(module.name)
allowed = set(sys.stdlib_module_names) | {"numpy", "scaling4d", "__main__"}
roots = {name.partition(".")[0] for name in sys.modules}
extra = {root for root in roots - allowed if getattr(sys.modules.get(root), "__file__", None)}
print(",".join(sorted(name for name in extra if "site-packages" in sys.modules[name].__file__)))
"""


def test_importing_geometry_loads_numpy_and_nothing_else() -> None:
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    loaded = set(filter(None, result.stdout.strip().split(",")))
    heavy = {"torch", "cv2", "pxr", "scipy", "yaml", "jaxtyping", "h5py", "numba"}
    assert loaded.isdisjoint(heavy), loaded
