"""Optical flow and depth behind two protocols; an estimator is made by its name."""

from __future__ import annotations

from typing import Any

from .base import DepthEstimate, DepthEstimator, EstimatorError, FlowEstimator

__all__ = [
    "DEPTH_ESTIMATORS",
    "FLOW_ESTIMATORS",
    "DepthEstimate",
    "DepthEstimator",
    "EstimatorError",
    "FlowEstimator",
    "make_depth_estimator",
    "make_flow_estimator",
]

FLOW_ESTIMATORS = ("dis", "raft_large", "raft_small", "precomputed")
DEPTH_ESTIMATORS = ("transformers", "precomputed")


def make_flow_estimator(name: str, **options: Any) -> FlowEstimator:
    """Build a flow estimator.

    Args:
        name: one of `FLOW_ESTIMATORS`.
        options: ``dis``: preset. ``raft_*``: weights ("hub" or a file), iterations, batch_size,
            device, mixed_precision, compile_model. ``precomputed``: folder.

    Raises:
        EstimatorError: if the name or an option is unknown, or the weights or files are missing.
    """
    if name == "dis":
        from .dis import DisFlow

        return _build(DisFlow, name, options)
    if name in ("raft_large", "raft_small"):
        from .raft import RaftFlow

        return _build(RaftFlow, name, {"size": name.removeprefix("raft_"), **options})
    if name == "precomputed":
        from .precomputed import PrecomputedFlow

        return _build(PrecomputedFlow, name, options)
    raise EstimatorError(f"the flow estimator must be one of {FLOW_ESTIMATORS}, got {name!r}")


def make_depth_estimator(name: str, **options: Any) -> DepthEstimator:
    """Build a depth estimator.

    Args:
        name: one of `DEPTH_ESTIMATORS`.
        options: ``transformers``: see `TransformersDepth`. ``precomputed``: see
            `PrecomputedDepth`.

    Raises:
        EstimatorError: if the name or an option is unknown, or the weights or files are missing.
    """
    if name == "transformers":
        from .transformers_depth import TransformersDepth

        return _build(TransformersDepth, name, options)
    if name == "precomputed":
        from .precomputed import PrecomputedDepth

        return _build(PrecomputedDepth, name, options)
    raise EstimatorError(f"the depth estimator must be one of {DEPTH_ESTIMATORS}, got {name!r}")


def _build(kind: Any, name: str, options: dict[str, Any]) -> Any:
    """Call ``kind`` with options that its signature knows."""
    import inspect

    try:
        inspect.signature(kind).bind(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(kind).parameters)
        raise EstimatorError(f"estimator {name!r}: {error}; its options are {known}") from error
    return kind(**options)
