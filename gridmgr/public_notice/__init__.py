"""The public notice (公示): what everybody sees of a plan before it is decided on, and what residents say of it."""
