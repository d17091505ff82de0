"""A training run: sources, sampler, model, steps, checkpoints, and how it stops and goes on."""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, Dataset, Sampler

from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.mixture import Draw, Mix, MixtureSampler
from scaling4d.data.pairs import ClipPair, DataError, PairSource, collate
from scaling4d.data.sources import open_source
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
from train.report import JsonLines, Progress, mix_text, pair_summary
from train.settings import ConfigError
from train.step import TrainingStep, WeightAverage, make_optimizer

log = logging.getLogger("train")


class RunInterruptedError(Exception):
    """The run was asked to stop; its state is saved."""


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
        RunInterruptedError: after SIGINT or SIGTERM, with a checkpoint of the last finished step.
    """
    check_output(config, out, resume=resume)
    accelerator = Accelerator(mixed_precision=config.run.precision, cpu=config.run.device == "cpu")
    run = _Run(config, out, accelerator, open_sources(config, out))
    if accelerator.is_main_process:
        write_config(config, out / "config.yaml")
    with _StopRequest() as stop:
        run.steps(stop)
    return run.finish()


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


def open_sources(config: TrainConfig, out: Path) -> dict[str, PairSource]:
    """Open every source that the mix names."""
    cache = DiskCache(Path(config.run.cache) if config.run.cache else out / "cache")
    seed = child_seed(config.seed, "data")
    return {
        name: open_source(config.data.sources[name], config.data, cache=cache, seed=seed)
        for name in Mix.parse(config.mix).names
    }


class _Run:
    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        accelerator: Accelerator,
        sources: dict[str, PairSource],
    ) -> None:
        self.config, self.out, self.accelerator, self.sources = config, out, accelerator, sources
        self.mix = Mix.parse(config.mix)
        lengths = {name: len(sources[name]) for name in self.mix.names}
        self.ledger = MixtureSampler(self.mix, lengths, config.seed)
        model = VNVSModel.build(config.model, seed=child_seed(config.seed, "model"))
        model.check_size(config.data.frames, config.data.height, config.data.width)
        self.step_module = TrainingStep(model, config.loss)
        optimizer = make_optimizer(self.step_module, config.optimizer)
        self.module, prepared = accelerator.prepare(self.step_module, optimizer)
        self.prepared_optimizer, self.optimizer = prepared, optimizer
        self.average = WeightAverage(config.optimizer.ema_decay)
        self.done = self._restore()
        self._say_hello(lengths)

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
        self.ledger.load_state_dict(snapshot.state["sampler"])
        restore_snapshot(snapshot, self.module, self.optimizer)
        self.average.load(dict(snapshot.ema), self.accelerator.device)
        log.info("resumed after step %d from %s", snapshot.state["step"], found[-1])
        return int(snapshot.state["step"])

    def _say_hello(self, lengths: dict[str, int]) -> None:
        trained = sum(p.numel() for p in self.step_module.parameters() if p.requires_grad)
        items = ", ".join(f"{name} {count} items" for name, count in lengths.items())
        log.info("mix %s: %s; training %.2f M weights", self.mix, items, trained / 1e6)

    @property
    def _samples_per_step(self) -> int:
        run = self.config.run
        return run.batch * run.accumulate * self.accelerator.num_processes

    def steps(self, stop: _StopRequest) -> None:
        """Run the steps that are left."""
        steps, run = self.config.steps, self.config.run
        main = self.accelerator.is_main_process
        if self.done >= steps:
            return
        batches = self._batches()
        lines = JsonLines(self.out / "log.jsonl", after_step=self.done) if main else None
        pairs = JsonLines(self.out / "pairs.jsonl", after_step=self.done) if main else None
        with Progress(steps, self.done, every=run.log_every, shown=main) as progress:
            while self.done < steps:
                record, batch_list = self._one_step(batches)
                if lines and pairs:
                    lines.write(record)
                    for batch in batch_list:
                        for line in _pair_lines(self.done, batch):
                            pairs.write(line)
                progress.step(record)
                stopping = stop.asked(self.accelerator)
                if self.done % run.checkpoint_every == 0 or stopping or self.done == steps:
                    self._save()
                if stopping and self.done < steps:
                    raise RunInterruptedError(f"stopped after step {self.done} of {steps}")

    def _one_step(self, batches: Iterator[dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
        begin = time.perf_counter()
        config = self.config
        # Only third-party layers with their own dropout read this generator; ours are passed one.
        torch.manual_seed(child_seed(config.seed, "step", self.done) >> 1)
        lr = config.optimizer.lr_at(self.done, config.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss, used = torch.zeros((), device=self.accelerator.device), []
        for part in range(config.run.accumulate):
            batch = next(batches)
            used.append(batch)
            last = part == config.run.accumulate - 1
            loss += self._backward(batch, synchronise=last)
        norm = self.accelerator.clip_grad_norm_(
            self.module.parameters(), config.optimizer.max_grad_norm
        )
        self.prepared_optimizer.step()
        self.prepared_optimizer.zero_grad(set_to_none=True)
        self.average.update(self.step_module.named_parameters(), self.done)
        for _ in range(self._samples_per_step):
            self.ledger.draw()
        self.done += 1
        mean_loss = float(self.accelerator.reduce(loss, reduction="mean"))
        if not torch.isfinite(torch.tensor(mean_loss)):
            raise DataError(
                f"the loss of step {self.done} is {mean_loss}: lower optimizer.lr or raise "
                "optimizer.warmup_steps; the last checkpoint is unharmed"
            )
        record = {
            "step": self.done,
            "loss": mean_loss,
            "lr": lr,
            "grad_norm": float(norm),
            "seconds": round(time.perf_counter() - begin, 4),
            "drawn": {name: self.ledger.counts[name] for name in self.mix.names},
        }
        return record, used

    def _backward(self, batch: dict[str, Any], *, synchronise: bool) -> torch.Tensor:
        device = self.accelerator.device
        tensors = (batch[name].to(device, non_blocking=True) for name in ("target", "control"))
        seeds = [draw.seed for draw in batch["draws"]]
        if synchronise:
            loss = self.module(*tensors, batch["prompts"], seeds) / self.config.run.accumulate
            self.accelerator.backward(loss)
        else:
            with self.accelerator.no_sync(self.module):
                loss = self.module(*tensors, batch["prompts"], seeds) / self.config.run.accumulate
                self.accelerator.backward(loss)
        return loss.detach()

    def _batches(self) -> Iterator[dict[str, Any]]:
        """Load batches of this process in the order of the draws, after those already used."""
        config = self.config.run
        upcoming = MixtureSampler(self.mix, self.ledger.lengths, self.config.seed)
        upcoming.load_state_dict(self.ledger.state_dict())
        left = (self.config.steps - self.done) * self._samples_per_step
        share = _Share(upcoming, left, config.batch, self.accelerator)
        loader = DataLoader(
            _DrawnPairs(self.sources),
            batch_size=config.batch,
            sampler=share,
            num_workers=config.workers,
            collate_fn=_collate,
            # A forked worker would inherit the locks of this process's threads.
            multiprocessing_context="spawn" if config.workers else None,
            worker_init_fn=_ignore_interrupts,
            persistent_workers=False,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        for batch in loader:
            if "problem" in batch:
                raise DataError(batch["problem"])
            yield batch

    def _save(self) -> None:
        state = {"sampler": self.ledger.state_dict(), "seed": self.config.seed}
        snapshot = take_snapshot(self.module, self.optimizer, ema=self.average.weights, state=state)
        if self.accelerator.is_main_process:
            folder = self.out / "checkpoints"
            write_checkpoint(folder, snapshot, self.done, keep=self.config.run.keep_checkpoints)
        self.accelerator.wait_for_everyone()

    def finish(self) -> Path:
        """Write ``model/`` (averaged weights where averaging is on) and the closing words."""
        final = self.out / "model"
        if self.accelerator.is_main_process:
            own = dict(self.step_module.named_parameters())
            with torch.no_grad():
                for name, value in self.average.weights.items():
                    own[name].copy_(value)
            partial = self.out / ".model.partial"
            shutil.rmtree(partial, ignore_errors=True)
            self.step_module.model.save_pretrained(partial)
            if final.exists():
                shutil.rmtree(final)
            partial.rename(final)
            if self.done:
                log.info("%s", mix_text(self.mix, self.ledger.counts))
                log.info("pairs: %s", pair_summary(self.out / "pairs.jsonl"))
        self.accelerator.wait_for_everyone()
        return final


class _DrawnPairs(Dataset[Any]):
    """Makes the pair of a draw; a problem travels to the main process as a sentence."""

    def __init__(self, sources: dict[str, PairSource]) -> None:
        self.sources = sources

    def __getitem__(self, draw: Draw) -> tuple[Draw, ClipPair | str]:
        try:
            return draw, self.sources[draw.source].pair(draw)
        except ValueError as error:
            return draw, str(error)


def _collate(items: Sequence[tuple[Draw, ClipPair | str]]) -> dict[str, Any]:
    problems = [pair for _, pair in items if isinstance(pair, str)]
    if problems:
        return {"problem": problems[0]}
    pairs = [pair for _, pair in items if isinstance(pair, ClipPair)]
    return {**collate(pairs), "draws": [draw for draw, _ in items]}


class _Share(Sampler[Draw]):
    """The draws of one process: chunks of one batch are dealt to the processes in turn."""

    def __init__(
        self, draws: MixtureSampler, total: int, batch: int, accelerator: Accelerator
    ) -> None:
        self._draws, self._total, self._batch = draws, total, batch
        self._rank, self._processes = accelerator.process_index, accelerator.num_processes

    def __iter__(self) -> Iterator[Draw]:
        for number, draw in enumerate(islice(self._draws, self._total)):
            if number // self._batch % self._processes == self._rank:
                yield draw


def _pair_lines(step: int, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for draw, origin, report in zip(
        batch["draws"], batch["origins"], batch["reports"], strict=True
    ):
        yield {
            "step": step,
            "draw": draw.position,
            "source": draw.source,
            "origin": origin,
            **report,
        }


def _ignore_interrupts(_: int) -> None:
    """Leave Ctrl-C to the main process, which finishes its step first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass
class _StopRequest:
    """Turns the first SIGINT or SIGTERM into a wish, the second into the usual death."""

    signal_number: int = 0

    def __enter__(self) -> _StopRequest:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._old = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._main:
            for number, handler in self._old.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        signal.signal(number, self._old[signal.Signals(number)])
        log.warning("stopping after this step and its checkpoint; once more stops at once")

    def asked(self, accelerator: Accelerator) -> bool:
        """Say whether any process was asked to stop."""
        if accelerator.num_processes == 1:
            return bool(self.signal_number)
        wish = torch.tensor(float(self.signal_number), device=accelerator.device)
        return bool(accelerator.reduce(wish, reduction="sum") > 0)
