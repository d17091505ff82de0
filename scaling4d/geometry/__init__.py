"""Cameras, projection, trajectories and camera files; numpy alone at import (CONVENTIONS.md)."""
