"""Redrawing: how the grids of a community could be drawn anew."""
