"""Furniture, fittings and decoration, one module per family of things."""
