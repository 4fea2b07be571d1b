"""Geometry: arrays and frames in, arrays and frames out. No SQL, no HTTP, no domain state."""
