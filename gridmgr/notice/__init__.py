"""Notices: what each person is told, the ways it reaches them, and the log of what was delivered."""
