"""Grading of micro-grids: red, yellow or green, why, and how often each should be patrolled."""
