"""Room layouts: the SpatialLM grammar, a generator of furnished rooms, their solid geometry."""
