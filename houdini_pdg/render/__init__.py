"""Renderers behind one protocol: Cycles, Karma and the Embree preview."""
