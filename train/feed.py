"""From draws to batches: the draws of a run, dealt to its processes and made into pairs."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, Dataset, Sampler

from scaling4d.data.disk_cache import DiskCache, settings_hash
from scaling4d.data.mixture import Draw, Mix, MixtureSampler
from scaling4d.data.pairs import ClipPair, DataError, PairSource, collate
from scaling4d.data.sources import open_source
from scaling4d.data.synthetic_pairs import Pairing
from scaling4d.geometry.seeds import child_seed
from train.config import RunConfig, TrainConfig
from train.settings import ConfigError

Batch = dict[str, Any]
"""What `collate` gives, and the ``draws`` that it was made from."""

_PAIRING: dict[str, Pairing] = {
    "correspondence": "two_views",
    "inpainting": "double_reprojection",
    "aligned": "aligned_frames",
    "camera": "two_views",
}
"""What each ``model.control`` learns from (§4.1); see `scaling4d.models.control_variants`."""


def open_sources(config: TrainConfig, out: Path) -> dict[str, PairSource]:
    """Open every source that the mix names; they share one cache, see `RunConfig`.

    Raises:
        ConfigError: if the cache's folder is a file.
        DataError: for folders that are missing, broken, hold too little or hold videos where
            ``model.control`` needs cameras.
    """
    cache = _open_cache(config.run, out)
    seed = child_seed(config.seed, "data")
    return {
        name: open_source(
            config.data.sources[name],
            config.data,
            cache=cache,
            seed=seed,
            pairing=_PAIRING[config.model.control],
            needs_cameras=config.model.control == "camera",
        )
        for name in Mix.parse(config.mix).names
    }


def _open_cache(run: RunConfig, out: Path) -> DiskCache:
    if run.cache == "none":
        return DiskCache(None)
    folder = Path(run.cache) if run.cache else out / "cache"
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"run.cache must be a folder or none, {folder} is a file")
    cache = DiskCache(folder, run.cache_bytes)
    cache.remove_leftovers()
    return cache


def make_sampler(config: TrainConfig, sources: dict[str, PairSource]) -> MixtureSampler:
    """Return the run's sampler at its first draw."""
    lengths = {name: len(source) for name, source in sources.items()}
    items = {name: settings_hash(source.item_names()) for name, source in sources.items()}
    return MixtureSampler(Mix.parse(config.mix), lengths, config.seed, items)


def load_batches(
    config: TrainConfig,
    sources: dict[str, PairSource],
    draws: MixtureSampler,
    *,
    total: int,
    process: tuple[int, int] = (0, 1),
    pin_memory: bool = False,
) -> Iterator[Batch]:
    """Yield the batches of one process.

    Args:
        config: batch size and workers are read from ``config.run``.
        sources: what the draws name.
        draws: advanced by ``total`` draws, ahead of the batches handed out.
        total: draws of all processes together.
        process: (index, number of processes); chunks of one batch are dealt to them in turn.
        pin_memory: put tensors where a GPU copies from without waiting.

    Raises:
        DataError: for a pair that cannot be made.
    """
    run = config.run
    loader = DataLoader(
        _DrawnPairs(sources),
        batch_size=run.batch,
        sampler=_Share(draws, total, run.batch, process),
        num_workers=run.workers,
        collate_fn=_collate,
        # A forked worker would inherit the locks of this process's threads.
        multiprocessing_context="spawn" if run.workers else None,
        worker_init_fn=_ignore_interrupts,
        pin_memory=pin_memory,
    )
    for batch in loader:
        if "problem" in batch:
            raise DataError(batch["problem"])
        yield batch


def pair_records(step: int, batch: Batch) -> Iterator[dict[str, Any]]:
    """Yield a line for ``pairs.jsonl`` for each sample of a batch."""
    parts = zip(batch["draws"], batch["origins"], batch["reports"], strict=True)
    for draw, origin, report in parts:
        where = {"draw": draw.position, "source": draw.source, "origin": origin}
        yield {"step": step, **where, **report}


class _DrawnPairs(Dataset[Any]):
    """Makes the pair of a draw; a problem travels to the main process as a sentence."""

    def __init__(self, sources: dict[str, PairSource]) -> None:
        self.sources = sources

    def __getitem__(self, draw: Draw) -> tuple[Draw, ClipPair | str]:
        try:
            return draw, self.sources[draw.source].pair(draw)
        except ValueError as error:
            return draw, str(error)


def _collate(items: Sequence[tuple[Draw, ClipPair | str]]) -> Batch:
    problems = [pair for _, pair in items if isinstance(pair, str)]
    if problems:
        return {"problem": problems[0]}
    pairs = [pair for _, pair in items if isinstance(pair, ClipPair)]
    return {**collate(pairs), "draws": [draw for draw, _ in items]}


class _Share(Sampler[Draw]):
    """The draws of one process."""

    def __init__(
        self, draws: MixtureSampler, total: int, batch: int, process: tuple[int, int]
    ) -> None:
        self._draws, self._total, self._batch, self._process = draws, total, batch, process

    def __iter__(self) -> Iterator[Draw]:
        index, processes = self._process
        for number, draw in enumerate(islice(self._draws, self._total)):
            if number // self._batch % processes == index:
                yield draw


def _ignore_interrupts(_: int) -> None:
    """Leave Ctrl-C to the main process, which finishes its step first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
