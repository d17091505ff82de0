"""Camera paths with a proof of clearance and framing along the whole continuous curve."""
