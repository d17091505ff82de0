"""Captions that lie in files beside videos, and what becomes of videos whose caption is broken."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from scaling4d.data.pairs import DataError

log = logging.getLogger(__name__)


def with_captions(
    videos: Iterable[Path], caption: Callable[[Path], str], *, skip_broken: bool
) -> Iterator[tuple[Path, str]]:
    """Yield videos with their captions, in order.

    Args:
        videos: the files.
        caption: reads the caption of a video; raises ValueError, naming the file, if it cannot.
        skip_broken: leave out a video whose caption is broken with a warning instead of raising:
            a model that is shown it without words would learn to ignore them.

    Raises:
        DataError: for a broken caption (unless skipped).
    """
    for path in videos:
        try:
            text = caption(path)
        except ValueError as error:
            if not skip_broken:
                hint = "save it as UTF-8, remove it or set data.skip_broken=true"
                raise DataError(f"{error}; {hint}") from None
            log.warning("skipped %s: %s", path, error)
            continue
        yield path, text
