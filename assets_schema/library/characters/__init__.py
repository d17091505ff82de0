"""Procedural people: anny bodies, fitted clothing, hair and authored or imported motion."""
