"""One correspondence space for training and inference (section 3.2): fields, splat, control."""
