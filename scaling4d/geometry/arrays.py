"""The one place where numpy arrays and torch tensors are told apart, without importing torch."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

# A numpy array or a torch tensor; functions return the kind, dtype and device that they got.
Array = Any


def namespace(array: Array) -> Any:
    """Return the module (``numpy`` or ``torch``) whose functions work on ``array``.

    Raises:
        ValueError: if ``array`` is neither.
    """
    if isinstance(array, np.ndarray | np.generic):
        return np
    torch = sys.modules.get("torch")  # a tensor cannot exist before torch has been imported
    if torch is not None and isinstance(array, torch.Tensor):
        return torch
    raise ValueError(f"expected a numpy array or a torch tensor, got {type(array).__name__}")


def constant_like(values: Any, array: Array) -> Array:
    """Return ``values`` as an array of the kind, device and floating dtype of ``array``."""
    if namespace(array) is np:
        return np.asarray(values, dtype=np.result_type(array.dtype, np.float32))
    if not array.is_floating_point():
        raise ValueError(f"expected a floating tensor, got {array.dtype}")
    return array.new_tensor(values)


def with_axes_for(matrix: Array, points: Array) -> Array:
    """Insert axes into ``matrix`` (batch..., n, n) so that it broadcasts over ``points``.

    The batch axes of the matrix are the *first* axes of ``points`` (batch..., anything..., k): one
    matrix per frame and points of shape (frames, height, width, 3) belong together.
    """
    batch = matrix.shape[:-2]
    missing = points.ndim - 1 - len(batch)
    if missing < 0:
        raise ValueError(
            f"matrices of shape {tuple(matrix.shape)} have more batch axes than "
            f"points of shape {tuple(points.shape)}"
        )
    return matrix.reshape(*batch, *(1,) * missing, *matrix.shape[-2:])
