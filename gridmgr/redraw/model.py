"""The words of redrawing."""

from gridmgr.errors import BadInput

MEASURES = ("households", "population", "incidents", "buildings")
MOST_GRIDS = 200
MOST_PROPOSALS = 12


class NotACommunity(BadInput):
    """{code} is no community; micro-grids are proposed for a community."""


class StrangeNumber(BadInput):
    """{number} micro-grids cannot be proposed; give a number from 1 to {most}."""


class NothingAsked(BadInput):
    """Say what is to be balanced: one or more of {known}."""


class UnknownMeasure(BadInput):
    """{measure} is nothing that can be balanced; give one or more of {known}."""


class LockedElsewhere(BadInput):
    """The locked micro-grid {code} is not of {community}."""


class AllLocked(BadInput):
    """{locked} micro-grids are locked, so {number} in all leave none to draw."""
