"""Executors outside Houdini: one machine, or a Dask cluster."""
