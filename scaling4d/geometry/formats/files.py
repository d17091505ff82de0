"""Reading and writing small files: clear errors going in, no half-written file coming out."""

from __future__ import annotations

import io
import json
import lzma
import os
import struct
import sys
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LARGEST = sys.float_info.max  # whole numbers of a file may lie beyond it

# What numpy raises, beside ValueError, for a file that is no archive or a damaged one. It parses
# headers as Python, allocates what they say, and lets errors of the zip within through.
UNREADABLE = (
    OSError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,  # of zipfile, for entries that are encrypted or compressed in a way it lacks
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_text(path: Path, format_name: str) -> str:
    """Return the text of a file, without the byte order mark that Windows' editors put first.

    Raises:
        ValueError: if it cannot be read or is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path} as {format_name}: {error}") from None


def read_json(path: Path, format_name: str) -> dict[str, Any]:
    """Return the mapping in a JSON file.

    Raises:
        ValueError: if it cannot be read, does not parse or holds something else.
    """
    text = read_text(path, format_name)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: brackets without end
        raise ValueError(f"{path} is not the JSON of {format_name}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path} is not {format_name}: expected a mapping at the top")
    return document


@contextmanager
def reading_arrays(path: Path, format_name: str) -> Iterator[None]:
    """Turn what numpy raises for a file that it cannot read into a sentence.

    Raises:
        ValueError: naming the file, what it was read as, and numpy's reason.
    """
    try:
        yield
    except (*UNREADABLE, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"cannot read {path} as {format_name}: {reason}") from None


def archive_names(path: Path, format_name: str) -> list[str]:
    """Return the names of the arrays in an .npz file.

    Raises:
        ValueError: if the file cannot be read.
    """
    with reading_arrays(path, format_name), np.load(path, allow_pickle=False) as archive:
        return list(archive.files)


def read_arrays(path: Path, format_name: str, names: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    """Return named arrays of an .npz file, never unpickling anything.

    Raises:
        ValueError: if the file cannot be read or lacks an array.
    """
    held = archive_names(path, format_name)
    missing = [name for name in names if name not in held]
    if missing:
        raise ValueError(
            f"{path} is not {format_name}: it lacks {missing[0]!r}, holds "
            f"{', '.join(held) or 'nothing'}"
        )
    with reading_arrays(path, format_name), np.load(path, allow_pickle=False) as archive:
        return [archive[name] for name in names]


def read_npy(path: Path, format_name: str) -> npt.NDArray[Any]:
    """Return the array in an .npy file, never unpickling anything.

    Raises:
        ValueError: if the file cannot be read or holds something else.
    """
    with reading_arrays(path, format_name):
        array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError(
            f"cannot read {path} as {format_name}: it is an archive, give an .npy file"
        )
    return array


def read_array(path: Path, format_name: str, columns: int) -> npt.NDArray[np.float64]:
    """Return the (n, columns) table in an .npy file, n >= 1, as float64.

    Raises:
        ValueError: if the file cannot be read, has another shape or holds no real numbers.
    """
    table = read_npy(path, format_name)
    if table.ndim != 2 or table.shape[1] != columns or table.dtype.kind not in "fiu":
        raise ValueError(
            f"{path} is not {format_name}: expected a table of {columns} columns of real numbers, "
            f"got {table.dtype} of shape {table.shape}"
        )
    if len(table) == 0:
        raise ValueError(f"{path} is not {format_name}: its table has no rows")
    return table.astype(np.float64)


def finite_number(value: object, name: str) -> float:
    """Return a value of a JSON or YAML file as a finite number.

    Raises:
        ValueError: naming ``name`` and the value, if it is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    raise ValueError(f"{name} must be a finite number, got {value!r}")


def numbers(fields: list[str], where: str) -> npt.NDArray[np.float64]:
    """Return words as finite numbers.

    Raises:
        ValueError: naming the place and the word that is not a finite number.
    """
    values = np.empty(len(fields))
    for position, field in enumerate(fields):
        try:
            values[position] = float(field)
        except ValueError:
            raise ValueError(f"{where}: {field!r} is not a number") from None
    if not np.isfinite(values).all():
        raise ValueError(f"{where}: holds a number that is not finite")
    return values


def words(values: npt.ArrayLike) -> str:
    """Return numbers separated by spaces, each in the fewest digits that read back the same."""
    return " ".join(repr(float(value)) for value in np.asarray(values).ravel())


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written to.

    Raises:
        ValueError: if a folder has the file's name, or a file that of a folder above it.
    """
    if path.is_dir():
        raise ValueError(f"cannot write {path}: it is a folder, name a file")
    require_folders_above(path)
    path.parent.mkdir(parents=True, exist_ok=True)


def require_folders_above(path: Path) -> None:
    """Check that the folder of a path exists or can be made.

    Raises:
        ValueError: if a file has the name of a folder above it.
    """
    above = next((folder for folder in path.parents if folder.exists()), path.parent)
    if above.is_file():
        raise ValueError(f"cannot write {path}: {above} is a file, name another folder")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all.

    Raises:
        ValueError: for a path that cannot be a file's, see `make_folder_of`.
    """
    make_folder_of(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file as a whole or not at all."""
    write_text(path, json.dumps(document, indent=1) + "\n")


def write_arrays(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Write an .npz file as a whole or not at all."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_bytes(path, stream.getvalue())


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an .npy file as a whole or not at all."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_bytes(path, stream.getvalue())
