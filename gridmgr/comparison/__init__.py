"""Two periods, or two editions of the grids, side by side: what each unit counts in both, and the difference."""
