"""Furniture, fittings and decoration: what exists is data (`assets.yaml`), shapes are functions."""
