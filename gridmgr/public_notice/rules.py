"""Pure decisions of public notices: what may be said, and of which place."""

from datetime import datetime

from gridmgr.public_notice.model import LONGEST_COMMENT, LONGEST_NAME, CommentUnfit, PlaceUnfit
from gridmgr.publication.model import State

NEAR = 0.01  # degrees around a plan within which a comment may point


def comment(name: str, told: str) -> tuple[str, str]:
    """Return who says what in a comment.

    Raises
    ------
    CommentUnfit
    """
    told = "".join(each for each in told if each.isprintable() or each == "\n").strip()
    if not 0 < len(told) <= LONGEST_COMMENT:
        raise CommentUnfit(most=LONGEST_COMMENT)
    return "".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME], told


def place(lon: str, lat: str) -> tuple[float, float] | None:
    """Return the place that was typed in, None if none was.

    Raises
    ------
    PlaceUnfit
    """
    if not lon.strip() and not lat.strip():
        return None
    try:
        found = float(lon), float(lat)
    except ValueError as unreadable:
        raise PlaceUnfit from unreadable
    if not (abs(found[0]) <= 180 and abs(found[1]) <= 90):  # nor is what is not a number
        raise PlaceUnfit
    return found


def runs(state: str, until: datetime | None, now: datetime) -> bool:
    """Tell whether a plan is on public notice at an instant."""
    return state == State.NOTICE and until is not None and until > now
