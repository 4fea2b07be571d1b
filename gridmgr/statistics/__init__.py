"""Rates and hotspots: one named query for every published number, with its formula."""
