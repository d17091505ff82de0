"""A training run: sources, model, steps and checkpoints, and how it goes on after a stop."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType

from scaling4d.data.mixture import Mix
from scaling4d.data.pairs import DataError, PairSource
from scaling4d.geometry.seeds import child_seed
from scaling4d.models.vnvs import VNVSModel
from train.checkpoint import (
    list_checkpoints,
    read_checkpoint,
    remove_partial_checkpoints,
    restore_snapshot,
    take_snapshot,
    write_checkpoint,
)
from train.config import TrainConfig, check_same_run, write_config
from train.feed import Batch, load_batches, make_sampler, open_sources, pair_records
from train.processes import exchange, gather_weights, make_accelerator, whole
from train.report import JsonLines, Progress, mix_text, pair_summary
from train.settings import ConfigError
from train.step import TrainingStep, WeightAverage, make_optimizer
from train.stop import RunInterruptedError, StopRequest
from train.zero import make_moments, skip_resting

log = logging.getLogger("train")

_REMEDY = (
    "resume with a lower optimizer.lr or a longer warm-up in a new run; the last checkpoint is "
    "unharmed"
)


def train(config: TrainConfig, out: Path, *, resume: bool = False) -> Path:
    """Train until ``config.steps``.

    Args:
        config: the whole run.
        out: output folder; made if missing.
        resume: go on after the newest checkpoint in ``out``; without one, start at step 0.

    Returns:
        The folder of the trained model, ``out/model``.

    Raises:
        ValueError: for data, sizes or checkpoints that do not fit, before anything is written.
        RunInterruptedError: after SIGINT or SIGTERM, with the last finished step saved.
    """
    check_output(config, out, resume=resume)
    accelerator = make_accelerator(config)
    run = _Run(config, out, accelerator, open_sources(config, out))
    if accelerator.is_main_process:
        write_config(config, out / "config.yaml")
    with StopRequest() as stop:
        run.finish_steps(stop)
    return run.write_model()


def check_output(config: TrainConfig, out: Path, *, resume: bool) -> None:
    """Refuse an output folder that holds another run, or one that was not asked to go on.

    Raises:
        ConfigError: saying what to do.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out must be a folder, {out} is a file")
    begun = out / "config.yaml"
    if begun.is_file() and not resume:
        raise ConfigError(
            f"{out} already holds a training run: add --resume to go on, or choose another --out"
        )
    if begun.is_file():
        check_same_run(config, begun)


class _Run:
    """Everything that changes from step to step."""

    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        accelerator: Accelerator,
        sources: dict[str, PairSource],
    ) -> None:
        self.config, self.out, self.accelerator, self.sources = config, out, accelerator, sources
        self.mix = Mix.parse(config.mix)
        # Advanced step by step, while the loader's own sampler runs ahead of it.
        self.ledger = make_sampler(config, sources)
        model = VNVSModel.build(config.model, seed=child_seed(config.seed, "model"))
        model.check_size(config.data.frames, config.data.height, config.data.width)
        if config.run.gradient_checkpointing:
            model.enable_gradient_checkpointing()
        if config.run.compile:
            model.compile_blocks()
        self.plain = TrainingStep(model, config.loss)
        self.optimizer = make_optimizer(self.plain, config.optimizer)
        self.module, self.prepared = accelerator.prepare(self.plain, self.optimizer)
        deepspeed = accelerator.distributed_type == DistributedType.DEEPSPEED
        self.engine = self.module if deepspeed else None
        # torch knows the wrappers of DDP and FSDP2, not DeepSpeed's.
        self.saved = self.plain if deepspeed else self.module
        if deepspeed:
            make_moments(self.engine, self.optimizer)
            skip_resting(self.optimizer)
        self.average = WeightAverage(config.optimizer.ema_decay)
        self.done = self._restore()
        trained = sum(p.numel() for p in self.plain.parameters() if p.requires_grad)
        items = ", ".join(f"{name} {len(source)} items" for name, source in sources.items())
        log.info("mix %s: %s; training %.2f M weights", self.mix, items, trained / 1e6)

    def _restore(self) -> int:
        """Load the newest checkpoint, if there is one; return its step."""
        folder = self.out / "checkpoints"
        if self.accelerator.is_main_process:
            remove_partial_checkpoints(folder)
        self.accelerator.wait_for_everyone()
        found = list_checkpoints(folder)
        if not found:
            return 0
        snapshot = read_checkpoint(found[-1])
        self._check_samples_per_step(snapshot.state["samples_per_step"])
        self.ledger.load_state_dict(snapshot.state["sampler"])
        restore_snapshot(snapshot, self.saved, self.optimizer, self.engine)
        self.average.load(snapshot.ema, self.plain)
        log.info("resumed after step %d from %s", snapshot.state["step"], found[-1])
        return int(snapshot.state["step"])

    def _check_samples_per_step(self, saved: int) -> None:
        """Let a run go on with other processes, as long as a step sees as many samples."""
        if saved != self._samples_per_step:
            run = self.config.run
            raise ConfigError(
                f"a step of this run sees {saved} samples, now {self._samples_per_step} "
                f"(run.batch {run.batch} x run.accumulate {run.accumulate} x "
                f"{self.accelerator.num_processes} processes): change run.batch or run.accumulate"
            )

    def finish_steps(self, stop: StopRequest) -> None:
        """Run the steps that are left, with checkpoints on the way and at the end."""
        steps, run = self.config.steps, self.config.run
        if self.done >= steps:
            return
        main = self.accelerator.is_main_process
        batches = self._batches()
        with (
            JsonLines(self.out / "log.jsonl", after_step=self.done, writes=main) as lines,
            JsonLines(self.out / "pairs.jsonl", after_step=self.done, writes=main) as pairs,
            Progress(steps, self.done, every=run.log_every, shown=main) as progress,
        ):
            while self.done < steps:
                record = self._step(batches, pairs)
                lines.write(record)
                progress.step(record)
                stopping = stop.asked(self.accelerator)
                if stopping or self.done == steps or self.done % run.checkpoint_every == 0:
                    self._save()
                if stopping and self.done < steps:
                    raise RunInterruptedError(f"stopped after step {self.done} of {steps}")

    @property
    def _samples_per_step(self) -> int:
        run = self.config.run
        return run.batch * run.accumulate * self.accelerator.num_processes

    def _batches(self) -> Iterator[Batch]:
        upcoming = make_sampler(self.config, self.sources)
        upcoming.load_state_dict(self.ledger.state_dict())
        return load_batches(
            self.config,
            self.sources,
            upcoming,
            total=(self.config.steps - self.done) * self._samples_per_step,
            process=(self.accelerator.process_index, self.accelerator.num_processes),
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def _step(self, batches: Iterator[Batch], pairs: JsonLines) -> dict[str, Any]:
        """Make one optimizer step and return its line of the log."""
        begin = time.perf_counter()
        config, parts = self.config, self.config.run.accumulate
        # Only third-party layers with a dropout of their own read the global generator.
        torch.manual_seed(child_seed(config.seed, "step", self.done) >> 1)
        expert = self.plain.expert_of_step(config.seed, self.done)
        rate = config.optimizer.lr_at(self.done, config.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
            group["rests"] = group["expert"] not in ("", expert)
        loss = torch.zeros((), device=self.accelerator.device)
        for part in range(parts):
            batch = next(batches)
            loss += self._backward(batch, expert, last=part == parts - 1)
            for record in pair_records(self.done + 1, batch):
                pairs.write(record)
        mean_loss = float(self.accelerator.reduce(loss, reduction="mean"))
        if not math.isfinite(mean_loss):
            raise DataError(f"the loss of step {self.done + 1} is {mean_loss}: {_REMEDY}")
        norm = self._clip_gradients()
        self.prepared.step()
        self.prepared.zero_grad(set_to_none=True)
        self.average.update(self.plain.named_parameters(), self.done)
        for _ in range(self._samples_per_step):
            self.ledger.draw()
        self.done += 1
        seconds = time.perf_counter() - begin
        return {
            "step": self.done,
            "loss": mean_loss,
            "lr": rate,
            "grad_norm": norm,
            "seconds": round(seconds, 4),
            "samples_per_second": round(self._samples_per_step / seconds, 4),
            "drawn": {name: self.ledger.counts[name] for name in self.mix.names},
        }

    def _clip_gradients(self) -> float | None:
        """Return their norm before; None where fp16's scaler leaves the step out, as it may."""
        limit = self.config.optimizer.max_grad_norm
        norm = float(whole(self.accelerator.clip_grad_norm_(self.module.parameters(), limit)))
        if math.isfinite(norm):
            return norm
        if self.accelerator.scaler is not None:
            return None
        raise DataError(f"the gradient of step {self.done + 1} is {norm}: {_REMEDY}")

    def _backward(self, batch: Batch, expert: str | None, *, last: bool) -> torch.Tensor:
        """Add a batch's gradients; processes exchange them after the last one of a step."""
        device = self.accelerator.device
        target, control = (batch[name].to(device) for name in ("target", "control"))
        cameras = batch["target_from_source"]
        seeds = [draw.seed for draw in batch["draws"]]
        with exchange(self.accelerator, self.module, last=last):
            with self.accelerator.autocast():  # FSDP2's wrapper does not do it by itself
                loss = self.module(target, control, batch["prompts"], seeds, cameras, expert)
            loss = loss / self.config.run.accumulate
            self.accelerator.backward(loss)
        return loss.detach()

    def _save(self) -> None:
        state = {
            "sampler": self.ledger.state_dict(),
            "samples_per_step": self._samples_per_step,
            "seed": self.config.seed,
        }
        snapshot = take_snapshot(
            self.saved,
            self.optimizer,
            ema=self.average.gather(),
            state=state,
            engine=self.engine,
        )
        if self.accelerator.is_main_process:
            folder = self.out / "checkpoints"
            write_checkpoint(folder, snapshot, self.done, keep=self.config.run.keep_checkpoints)
        self.accelerator.wait_for_everyone()

    def write_model(self) -> Path:
        """Write ``model/``, with averaged weights where averaging is on, and say how it went."""
        final, partial = self.out / "model", self.out / ".model.partial"
        self.average.copy_to(self.plain)
        weights = gather_weights(self.plain.model)
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
            self.plain.model.save_pretrained(partial, weights=weights)
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)
            if self.done:
                log.info("%s", mix_text(self.mix, self.ledger.counts))
                log.info("pairs: %s", pair_summary(self.out / "pairs.jsonl"))
        self.accelerator.wait_for_everyone()
        return final
