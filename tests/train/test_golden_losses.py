"""Ten steps of recipe tiny_cpu against stored losses: a change that should not alter training must
leave them as they are, and one that should alter it comes with new ones:

    python -m tests.train.test_golden_losses > tests/golden/tiny_cpu_losses.txt

The tolerance, 2 % of each loss, is for other machines: kernels sum in another order, and the video
encoder and the optical flow differ slightly by version. On one machine the losses are equal to the
bit, which test_run.py asserts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.train.runs import losses, run, start, write_sample_data

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "tiny_cpu_losses.txt"


def test_ten_steps_match_the_golden_losses(straight_run: Path) -> None:
    golden = [float(line) for line in GOLDEN.read_text().splitlines() if line[:1].isdigit()]
    assert losses(straight_run) == pytest.approx(golden, rel=0.02)


@pytest.mark.full
def test_compiled_blocks_train_alike(straight_run: Path, sample_data: Path, tmp_path: Path) -> None:
    """As a command: the shape checks of these tests cannot be compiled."""
    training = start(sample_data, tmp_path / "out", "run.compile=true", "steps=4")
    _, errors = training.communicate(timeout=600)
    assert training.returncode == 0, errors
    assert losses(tmp_path / "out") == pytest.approx(losses(straight_run)[:4], rel=1e-3)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        assert run(write_sample_data(Path(folder) / "data"), Path(folder) / "out") == 0
        print("# loss of steps 1 to 10 of recipe tiny_cpu; see tests/train/test_golden_losses.py")
        for loss in losses(Path(folder) / "out"):
            print(f"{loss:.6f}")
