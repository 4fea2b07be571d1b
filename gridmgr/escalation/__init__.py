"""Clocks on cases, the ladders they climb when time runs out, and the auditor who watches the clocks."""
