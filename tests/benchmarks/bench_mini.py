"""Training step and peak memory of `mini` by size, on the CPU or the GPU of this machine.

python -m tests.benchmarks.bench_mini --out tests/benchmarks/results
"""

from __future__ import annotations

import resource

import torch

from scaling4d.models import BackboneConfig, ModelConfig, ProjectorConfig, VNVSModel
from scaling4d.models.flow_matching import add_noise, flow_matching_loss
from tests.benchmarks import record

FRAMES, SIDE, BATCH = 17, 128, 2
SIZES: dict[str, dict[str, int]] = {
    "1 M": {"dim": 64, "depth": 2, "heads": 2},
    "10 M": {"dim": 256, "depth": 3, "heads": 4},
    "30 M": {"dim": 384, "depth": 4, "heads": 6},
    "100 M": {"dim": 640, "depth": 5, "heads": 10},
}


def main() -> None:
    """Measure every size, smallest first: peak memory of a process only grows."""
    arguments = record.parse_arguments("mini", __doc__ or "")
    report = record.Report("mini", arguments)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for name, options in list(SIZES.items())[: 2 if arguments.quick else None]:
        config = ModelConfig(
            backbone=BackboneConfig(options=options),
            projector=ProjectorConfig(width=384, depth=1, frequencies=64),
        )
        model = VNVSModel.build(config, seed=0).to(device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
        video = torch.rand(BATCH, FRAMES, 3, SIDE, SIDE, device=device) * 2 - 1
        control = torch.rand(BATCH, FRAMES, 9, SIDE, SIDE, device=device)
        text = model.encode_text(["a room"] * BATCH)
        sigma = torch.full((BATCH,), 0.7, device=device)

        def step(model=model, optimizer=optimizer, inputs=(video, control, text, sigma)) -> None:  # type: ignore[no-untyped-def]
            video, control, text, sigma = inputs
            x = model.encode_video(video)
            noise = torch.randn_like(x)
            velocity = model.velocity(add_noise(x, noise, sigma), sigma, text, control)
            optimizer.zero_grad()
            flow_matching_loss(velocity, x, noise).backward()
            optimizer.step()

        wait = torch.cuda.synchronize if device.type == "cuda" else None
        timing = record.measure(step, repeats=1 if arguments.quick else 5, synchronize=wait)
        parameters = sum(p.numel() for p in model.parameters())
        report.add(f"step {name}", timing, "s", parameters=parameters, batch=BATCH)
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated() / 2**30
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        report.add(f"peak memory {name}", record.Timing((peak,)), "GiB", parameters=parameters)
    report.finish()


if __name__ == "__main__":
    main()
