"""Check that a diffusers pipeline is all there, and say in one sentence what is not."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from scaling4d.models.errors import MissingWeightsError, ModelError


@contextlib.contextmanager
def broken_files_named(family: str, source: str) -> Iterator[None]:
    """Turn what the loaders raise for missing and damaged files into one kind of error.

    Raises:
        MissingWeightsError: with the loader's first sentence. Errors of our own, missing
            packages and a lack of memory pass.
    """
    try:
        yield
    except (ModelError, ImportError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of many kinds; tokenizers raises no narrower one
        if "allocate memory" in str(error):  # a RuntimeError, on the CPU
            raise
        detail = " ".join(str(error).partition("\n")[0].partition(". ")[0].split()).rstrip(".")
        if not isinstance(error, OSError):
            detail = f"{type(error).__name__}: {detail}"
        if Path(source).is_dir():
            reason = (
                f"the folder {source} lacks a file or holds a broken one (copy or download it "
                "again)"
            )
        elif isinstance(error, OSError):
            reason = (
                f"the hub cannot be reached, or has no such model as {source} (give a local folder "
                "in diffusers' layout, or a hub id with a network; gated models need "
                "`hf auth login`)"
            )
        else:
            reason = f"a file of {source} from the hub is broken"
        raise MissingWeightsError(f"cannot load backbone {family}: {reason}: {detail}") from error


def check_parts(
    family: str, folder: Path, index: Mapping[str, Any], *, unused: Collection[str]
) -> None:
    """Refuse a local folder without one of the parts that its index lists.

    transformers makes a default tokenizer, to which all prompts are the same, where files are
    missing.

    Args:
        family: name of the backbone.
        folder: with one sub-folder for each part.
        index: content of its model_index.json.
        unused: parts that are not loaded.

    Raises:
        MissingWeightsError: naming the first part that is not there.
    """
    import transformers

    for part, entry in index.items():
        if part in unused or not isinstance(entry, list) or None in entry:
            continue
        missing = ""
        if not (folder / part).is_dir():
            missing = f"sub-folder {part}"
        else:
            names = getattr(getattr(transformers, entry[-1], None), "vocab_files_names", {})
            if names and not any((folder / part / name).is_file() for name in names.values()):
                missing = f"{' or '.join(sorted(names.values()))} in {part}"
        if missing:
            raise MissingWeightsError(
                f"cannot load backbone {family}: {folder} has no {missing}, though its "
                "model_index.json lists that part; copy or download the whole folder again"
            )


def check_weights(family: str, source: str, pipeline: Any) -> None:
    """Refuse a pipeline whose denoiser or codec has weights that were not in the files.

    diffusers leaves them without values ("on the meta device") and says nothing. Of text encoders
    transformers draws such weights at random, with a warning of its own.

    Raises:
        MissingWeightsError: naming the first of them.
    """
    for part, module in pipeline.components.items():
        if not isinstance(module, nn.Module):
            continue
        for name, parameter in module.named_parameters():
            if parameter.is_meta:
                raise MissingWeightsError(
                    f"cannot load backbone {family}: the weights of {part} in {source} lack "
                    f"{name}; copy or download them again"
                )
