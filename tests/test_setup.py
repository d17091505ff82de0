"""The set-up itself: contracts that can fail, shape checks that fire, a light import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jaxtyping import Float, TypeCheckError

from scaling4d import system_check
from scaling4d.correspondence.control import build_control


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of a copy of the project; the copy comes first on the path."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )


PLANTED = [
    ("scaling4d/geometry/camera.py", "import torch", "no torch"),
    ("scaling4d/correspondence/field.py", "import scaling4d.models", "point downwards"),
    ("scaling4d/data/pairs.py", "import scaling4d.models", "point downwards"),
    ("houdini_pdg/plan.py", "import torch", "never imports the training side"),
    ("assets_schema/catalog.py", "import houdini_pdg", "assets_schema stands on geometry"),
    ("houdini_pdg/plan.py", "import hou", "hou and pdg"),
    ("houdini_pdg/plan.py", "import bpy", "bpy"),
]


@pytest.fixture(scope="module")
def project_copy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    for name in ("scaling4d", "train", "assets_schema", "houdini_pdg"):
        shutil.copytree(
            repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(repository / "pyproject.toml", folder)
    return folder


def test_the_import_contracts_hold(project_copy: Path) -> None:
    done = lint_imports(project_copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_planted_violation_is_reported(project_copy: Path, file, line, contract) -> None:
    path = project_copy / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        done = lint_imports(project_copy)
    finally:
        path.write_text(before)
    assert done.returncode == 1, done.stdout
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert any(contract in text for text in broken), done.stdout


def test_canary_a_wrong_shape_fails_at_the_call() -> None:
    video = torch.zeros(2, 3, 8, 8)
    with pytest.raises(TypeCheckError):
        build_control(video, torch.zeros(2, 2, 8, 9), video, torch.ones(2, 1, 8, 8))
    assert Float  # the annotations' library is the one the hook reads


def test_importing_the_package_is_fast_and_loads_no_torch() -> None:
    script = (
        "import sys, time; start = time.perf_counter(); import scaling4d; "
        "print(time.perf_counter() - start); "
        "assert not {'torch', 'numpy', 'cv2', 'pxr', 'h5py'} & set(sys.modules)"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    assert min(times) < 0.3


def test_a_missing_system_library_is_named_with_its_package(monkeypatch, capsys) -> None:
    message = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    monkeypatch.setattr(system_check, "missing_library", lambda module: message)
    assert system_check.main(["cv2"]) == 2
    assert (
        "cv2 needs the system library libGL.so.1: apt-get install libgl1" in capsys.readouterr().err
    )


def test_every_wheel_finds_its_libraries_here() -> None:
    assert system_check.main() == 0
