"""Flags: patterns in the records that are worth a look by somebody, and what was found when they looked."""
