"""Specs to start from, and the picture of what they mint."""
