"""A fictional district and its days, the same for the same seed, played through the real verbs."""
