"""Trajectory and camera files of other tools, one module per family, each naming its convention."""
