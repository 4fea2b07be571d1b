"""Rates: one named query for every published number, with its formula."""
