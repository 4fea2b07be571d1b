"""What of an address is kept with a view of the map."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from gridmgr.saved_view.model import LONGEST_NAME, LONGEST_QUERY, ViewTooLong, ViewUnnamed


def named(name: str) -> str:
    """Return the name as it is kept.

    Raises
    ------
    ViewUnnamed
    """
    kept = " ".join("".join(each for each in name if each.isprintable()).split())
    if not 0 < len(kept) <= LONGEST_NAME:
        raise ViewUnnamed(most=LONGEST_NAME)
    return kept


def kept(query: str) -> str:
    """Return the part of an address behind the question mark, written anew, so that it can be nothing else.

    >>> kept("?code=510&words=a b&empty=&code=511")
    'code=510&words=a+b&code=511'

    Raises
    ------
    ViewTooLong
    """
    given = parse_qsl(query.removeprefix("?"), errors="ignore", max_num_fields=None)
    told = urlencode([(name.replace("\0", ""), value.replace("\0", "")) for name, value in given])
    if len(told) > LONGEST_QUERY:
        raise ViewTooLong(length=len(told), most=LONGEST_QUERY)
    return told


CODES_IN = ("code", "row")  # parameters that may hold a unit's code


def followed(query: str, heirs: Mapping[str, str]) -> str:
    """Return a kept query with the heirs of units that are no more.

    >>> followed("code=101&words=101", {"101": "102"})
    'code=102&words=101'
    """
    given = parse_qsl(query)
    return urlencode(
        [(name, heirs.get(value, value) if name in CODES_IN else value) for name, value in given]
    )
