"""The families of what can go wrong in the city's work; `web.errors` maps each to an HTTP status.

Each noun declares its own small classes below one of these, beside the code that raises them.

    Problem
      ├─ BadInput            the caller sent something that cannot be used
      ├─ Unauthenticated     nobody is logged in, or the password is wrong
      ├─ Forbidden           known, but not allowed; carries the reason
      ├─ NotFound            there is no such thing, or it is not visible to this actor
      ├─ Conflict            true a moment ago, or somewhere else, but not here and now
      ├─ TooMany             too often in too short a time
      └─ Unavailable         a part the product stands on does not answer
"""

from gis.errors import BadInput, Problem

__all__ = [
    "BadInput",
    "Conflict",
    "Forbidden",
    "NotFound",
    "Problem",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
]


class Unauthenticated(Problem):
    """Log in first."""


class Forbidden(Problem):
    """You may not do this."""


class NotFound(Problem):
    """There is no such thing here."""


class Conflict(Problem):
    """This does not fit the present state."""


class TooMany(Problem):
    """Too many requests; wait {seconds} seconds."""


class Unavailable(Problem):
    """The database does not answer; nothing was written. Try again in a moment."""
