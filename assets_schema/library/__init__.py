"""The built-in library: procedural assets that need no download."""
